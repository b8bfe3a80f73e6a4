import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

interface PageHeadProps {
  readonly title: string;
  readonly about?: ComponentChildren;
  /** What can be done on the page. */
  readonly children?: ComponentChildren;
}

/** The heading of a page, which the window and screen readers call it by. */
export function PageHead({ title, about, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · actionstream`;
  }, [title]);
  return (
    <div class="head">
      <div>
        <h1>{title}</h1>
        {about !== undefined && <p>{about}</p>}
      </div>
      {children}
    </div>
  );
}
