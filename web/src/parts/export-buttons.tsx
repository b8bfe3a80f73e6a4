import { Download } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { exportEvents, type EventQuery } from '../api/events.ts';
import { compact } from '../words/format.ts';

/** The episodes of the search as a file: all pages, not only those on the screen. */
export function ExportButtons({ query }: { readonly query: EventQuery }) {
  const [said, say] = useState('');
  const [isBusy, setBusy] = useState(false);
  const save = async (format: 'csv' | 'ndjson'): Promise<void> => {
    setBusy(true);
    try {
      const onProgress = (rows: number): void => {
        say(`${compact(rows)} rows`);
      };
      download(await exportEvents({ query, format, onProgress }), `episodes.${format}`);
      say('');
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="exports">
      <span class="soft" role="status">
        {said}
      </span>
      {(['csv', 'ndjson'] as const).map((format) => (
        <button key={format} type="button" disabled={isBusy} onClick={() => void save(format)}>
          <Download aria-hidden="true" size={16} />
          {format.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

function download(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}
