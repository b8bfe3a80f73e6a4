/** A sentence of a Markdown page, with the line where its paragraph begins. */
export interface Sentence {
  readonly line: number;
  readonly text: string;
}

interface Paragraph {
  readonly line: number;
  readonly text: string;
}

/**
 * Sentences of a Markdown page. Code blocks, tables, headings, images and HTML are
 * no sentences; a list item begins a new one. A link counts as its text, a proof
 * in brackets (the title of a test) as nothing, and inline code as one word.
 */
export function readSentences(markdown: string): readonly Sentence[] {
  return readParagraphs(markdown).flatMap(({ line, text }) =>
    splitSentences(plain(text)).map((sentence) => ({ line, text: sentence })),
  );
}

/** Words of a sentence: what holds a letter or a digit. */
export function countWords(sentence: string): number {
  return sentence.split(/\s+/).filter((token) => /[\p{L}\p{N}]/u.test(token)).length;
}

function readParagraphs(markdown: string): readonly Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let lines: string[] = [];
  let start = 0;
  let fenced = false;
  const close = (): void => {
    if (lines.length > 0) paragraphs.push({ line: start, text: lines.join(' ') });
    lines = [];
  };
  markdown.split('\n').forEach((line, index) => {
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      close();
    } else if (fenced || /^\s*(\||#|<|!\[|$|-{3,}$)/.test(line)) {
      close();
    } else {
      const item = /^\s*([-*]|\d+\.)\s+/.exec(line);
      if (item !== null) close();
      if (lines.length === 0) start = index + 1;
      lines.push(line.slice(item?.[0].length ?? 0).trim());
    }
  });
  close();
  return paragraphs;
}

function plain(text: string): string {
  return text
    .replace(/`[^`]*`/g, 'code')
    .replace(/\s*\(\[[^\]]*\]\([^)]*\.test\.ts\)\)/g, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '');
}

/**
 * A sentence ends at `.`, `!` or `?` before a space; the point of an
 * abbreviation is followed by a small letter.
 */
function splitSentences(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?][)”"]?)\s+(?=[^\p{Ll}]|code\b)/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}
