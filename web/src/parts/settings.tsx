import { useState } from 'preact/hooks';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';

/** Every setting with its value and where that came from: asked for when it is opened. */
export function Settings() {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      class="card settings"
      onToggle={({ currentTarget }) => {
        setOpen(currentTarget.open);
      }}
    >
      <summary>Effective configuration</summary>
      {isOpen && <Table />}
    </details>
  );
}

function Table() {
  const { value, problem } = useAnswer((signal) => answerOf(api.GET('/api/v1/config', { signal })), []);
  if (problem)
    return (
      <p class="inside soft">
        {problem.message}
        {problem.status === 403 && ': the configuration is shown to the role admin'}.
      </p>
    );
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="Settings">
      <table>
        <thead>
          <tr>
            <th>Setting</th>
            <th>Value</th>
            <th>From</th>
          </tr>
        </thead>
        <tbody>
          {value?.settings.map(({ key, value: held, origin }) => (
            <tr key={key}>
              <td>
                <code>{key}</code>
              </td>
              <td>
                <code>{typeof held === 'string' ? held : JSON.stringify(held)}</code>
              </td>
              <td class="soft">{origin}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
