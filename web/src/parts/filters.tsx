import { useSearchParams } from 'wouter-preact';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';
import { streams } from '../live/store.ts';

const FIELDS = ['stream', 'site', 'tag', 'label', 'from', 'to', 'score', 'seconds'] as const;

/** The filters of the history; the address holds their values. */
export function Filters({ parameters }: { readonly parameters: URLSearchParams }) {
  const [, setParameters] = useSearchParams();
  const models = useAnswer((signal) => answerOf(api.GET('/api/v1/models', { signal })), []);
  const labels = [
    ...new Set(
      models.value?.models.flatMap((model) => model.labels.filter((label) => label !== model.background)),
    ),
  ];
  const views = streams.value?.map(({ view }) => view.value) ?? [];
  const known = views.map(({ stream_id: id }) => id);
  const sites = [...new Set(views.flatMap(({ site }) => site ?? []))].sort();
  const tags = [...new Set(views.flatMap((view) => view.tags ?? []))].sort();
  const apply = (form: HTMLFormElement): void => {
    const given = new FormData(form);
    const filled = FIELDS.flatMap((name): [string, string][] => {
      const value = given.get(name);
      if (typeof value !== 'string' || value === '') return [];
      return [[name, name === 'from' || name === 'to' ? new Date(value).toISOString() : value]];
    });
    setParameters(new URLSearchParams(filled));
  };
  return (
    <form
      class="card filters"
      role="search"
      aria-label="Filters"
      onSubmit={(event) => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
      onReset={() => {
        setParameters({});
      }}
    >
      <Choice name="stream" title="Stream" values={known} chosen={parameters.get('stream') ?? ''} />
      {offers(sites, parameters.get('site')) && (
        <Choice name="site" title="Site" values={sites} chosen={parameters.get('site') ?? ''} />
      )}
      {offers(tags, parameters.get('tag')) && (
        <Choice name="tag" title="Tag" values={tags} chosen={parameters.get('tag') ?? ''} />
      )}
      <Choice name="label" title="Action" values={labels} chosen={parameters.get('label') ?? ''} />
      <label>
        From
        <input name="from" type="datetime-local" defaultValue={localTime(parameters.get('from'))} />
      </label>
      <label>
        To
        <input name="to" type="datetime-local" defaultValue={localTime(parameters.get('to'))} />
      </label>
      <label>
        Peak at least, %
        <input
          name="score"
          type="number"
          placeholder="any"
          min="0"
          max="100"
          step="any"
          defaultValue={parameters.get('score') ?? ''}
        />
      </label>
      <label>
        Lasted at least, s
        <input
          name="seconds"
          type="number"
          placeholder="any"
          min="0"
          step="any"
          defaultValue={parameters.get('seconds') ?? ''}
        />
      </label>
      <div class="buttons">
        <button type="reset" class="quiet">
          Clear
        </button>
        <button type="submit" class="main">
          Search
        </button>
      </div>
    </form>
  );
}

/** Where no stream has a site, none is asked for. */
function offers(values: readonly string[], chosen: string | null): boolean {
  return values.length > 0 || chosen !== null;
}

interface ChoiceProps {
  readonly name: string;
  readonly title: string;
  readonly values: readonly string[];
  readonly chosen: string;
}

/** A value that is not offered, of a stream that is gone, stays choosable while it is chosen. */
function Choice({ name, title, values, chosen }: ChoiceProps) {
  const offered = chosen === '' || values.includes(chosen) ? values : [chosen, ...values];
  return (
    <label>
      {title}
      <select name={name}>
        <option value="" selected={chosen === ''}>
          any
        </option>
        {offered.map((value) => (
          <option key={value} value={value} selected={value === chosen}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}

/** As the field takes it: `2026-11-22T10:15`, in the zone of the reader. */
function localTime(time: string | null): string {
  const ms = Date.parse(time ?? '');
  if (Number.isNaN(ms)) return '';
  const zone = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - zone).toISOString().slice(0, 16);
}
