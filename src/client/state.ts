/**
 * What a stream does now, after its last status: `unknown` once that has expired.
 *
 * @param nowMs milliseconds since 1970, of a clock that agrees with that of the program to a second or two
 */
export function stateAt(
  { state, valid_until: until }: { readonly state: string; readonly valid_until?: string },
  nowMs: number,
): string {
  return until !== undefined && Date.parse(until) <= nowMs ? 'unknown' : state;
}
