import { Inbox, TriangleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import type { ApiProblem } from '../../../src/client/index.ts';

/** Where there is nothing to show, and why. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Inbox aria-hidden="true" size={36} strokeWidth={1.4} />
      <h2>{title}</h2>
      {children !== undefined && <div>{children}</div>}
    </div>
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  OFFLINE: 'It is asked again as soon as it answers.',
  UNAUTHORIZED: 'Enter a token of the file that http.token_file names.',
  FORBIDDEN: 'Enter a token of the role admin.',
};

/** What was refused, in the words of the program. */
export function Failed({ problem, what }: { readonly problem: ApiProblem; readonly what: string }) {
  return (
    <div class="empty" role="alert">
      <TriangleAlert aria-hidden="true" size={36} strokeWidth={1.4} />
      <h2>{what}</h2>
      <div>
        {problem.message}. {REMEDIES[problem.code]}
      </div>
    </div>
  );
}

/** Grey bars in the place of what is being loaded. */
export function Loading({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class="bone" />
      ))}
    </div>
  );
}
