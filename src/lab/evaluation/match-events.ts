/** An interval of time, seconds; half-open. */
export interface Span {
  readonly startS: number;
  readonly endS: number;
}

export interface EventMatch<T extends Span, F extends Span> {
  /** Each true event with the reported one that found it; none is in two pairs. */
  readonly pairs: readonly { readonly truth: T; readonly found: F }[];
  /** Reported where nothing happened. */
  readonly falseAlarms: readonly F[];
  /** Reported once more though already found. */
  readonly repeats: readonly F[];
  readonly missed: readonly T[];
}

/**
 * Which reported events found which true ones: as many pairs as possible, each
 * event in at most one, near onsets first. Two events may be paired where they
 * overlap, give or take the tolerance, which is what the truth's times are worth.
 */
export function matchEvents<T extends Span, F extends Span>(
  truth: readonly T[],
  found: readonly F[],
  toleranceS: number,
): EventMatch<T, F> {
  const meets = (a: Span, b: Span): boolean =>
    a.startS < b.endS + toleranceS && b.startS - toleranceS < a.endS;
  const near = (event: T): readonly F[] =>
    found
      .filter((other) => meets(event, other))
      .sort((a, b) => Math.abs(a.startS - event.startS) - Math.abs(b.startS - event.startS));
  const options = new Map(truth.map((event) => [event, near(event)]));
  const finder = new Map<F, T>();

  // Kuhn's augmenting paths: an event takes a report, and whoever held that looks for another.
  const place = (event: T, tried: Set<F>): boolean =>
    (options.get(event) ?? []).some((report) => {
      if (tried.has(report)) return false;
      tried.add(report);
      const holder = finder.get(report);
      if (holder !== undefined && !place(holder, tried)) return false;
      finder.set(report, event);
      return true;
    });
  for (const event of truth) place(event, new Set());

  const pairs = [...finder].map(([report, event]) => ({ truth: event, found: report }));
  const detected = new Set(pairs.map((pair) => pair.truth));
  const rest = found.filter((report) => !finder.has(report));
  const meetsAny = (report: F): boolean => truth.some((event) => meets(event, report));
  return {
    pairs: pairs.sort((a, b) => a.truth.startS - b.truth.startS),
    falseAlarms: rest.filter((report) => !meetsAny(report)),
    repeats: rest.filter(meetsAny),
    missed: truth.filter((event) => !detected.has(event)),
  };
}
