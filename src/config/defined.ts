type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys that hold nothing, so that a spread does not overwrite with nothing. */
export function defined<T extends object>(settings: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
