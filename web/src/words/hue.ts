const HUES = 6;

/** A label has the same colour on every page: the class of one of six. */
export function hueOf(label: string): string {
  let sum = 0;
  for (const letter of label) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return `hue-${sum % HUES}`;
}
