import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { load, problemsOf } from './files.ts';

describe('effective settings, for printing', () => {
  const SECRET = 'canary-7391';
  const yaml = `
streams:
  - { id: a, url: 'rtsp://u:${SECRET}@cam/1?token=${SECRET}', password: ${SECRET} }
sinks:
  kafka: { brokers: [a:1], sasl: { mechanism: plain, username: u, password: ${SECRET} } }
  postgres: { url: 'postgres://me:${SECRET}@db/events', password: ${SECRET} }
events: { cooldown: 3s }
`;

  it('show values as written and where each came from', () => {
    const config = load(yaml, {
      env: { ACTIONSTREAM_EVENTS__ON: '0.7' },
      overrides: { log: { level: 'warn' } },
    });
    const lineOf = (key: string): string[] => {
      const setting = config.effective.find((candidate) => candidate.key === key);
      return setting
        ? [String(setting.value), setting.layer, setting.origin.replace(/^.*\/site\.yaml/, 'site.yaml')]
        : [];
    };

    expect(lineOf('events.cooldown')).toEqual(['3s', 'file', 'site.yaml:7:21']);
    expect(lineOf('events.on')).toEqual(['0.7', 'env', 'environment variable ACTIONSTREAM_EVENTS__ON']);
    expect(lineOf('log.level')).toEqual(['warn', 'flag', 'command line']);
    expect(lineOf('journal.max_size')).toEqual(['1GiB', 'default', 'default']);
    expect(lineOf('streams[0].password')).toEqual(['***', 'file', expect.stringMatching(/^site\.yaml:3:/)]);
  });

  it('hold no secret', () => {
    expect(JSON.stringify(load(yaml).effective)).not.toContain(SECRET);
  });

  it('hold no password of a camera, whatever it is made of', () => {
    const typed = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
    });
    fc.assert(
      fc.property(typed, (text) => {
        const password = `c4nary${text}`.replaceAll('${', '$$');
        const urls = [`rtsp://u:${password}@cam/1`, `rtsp://cam/user=a_password=${password}_channel=1.sdp`];
        const streams = urls.map((url, i) => ({ id: `s${i}`, url }));
        const { effective } = load(JSON.stringify({ streams }));

        expect(JSON.stringify(effective)).not.toContain('c4nary');
      }),
      { numRuns: 50 },
    );
  });

  it('nor does an error', () => {
    const wrong = yaml.replace('plain', 'plian').replace('cooldown: 3s', 'cooldown: 3');
    const problems = problemsOf(() => load(wrong));
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).not.toContain(SECRET);
  });
});
