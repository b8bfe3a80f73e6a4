/** An object without some of its keys. */
export function omit<T extends object, K extends keyof T>(object: T, keys: readonly K[]): Omit<T, K> {
  const left = Object.entries(object).filter(([key]) => !keys.some((omitted) => omitted === key));
  return Object.fromEntries(left) as Omit<T, K>;
}
