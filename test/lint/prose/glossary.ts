/** Words that this project does not use, each with the word to use. One word for one thing. */
export const GLOSSARY: readonly { readonly never: RegExp; readonly say: string }[] = [
  { never: /\bpictures?\b/i, say: 'frame (of a video), image or drawing (of a page)' },
  { never: /\bhalves\b|\b(lower|upper) half\b/i, say: 'lower stage, upper stage' },
  { never: /\b(meeting point|gathering)\b/i, say: 'batch' },
  { never: /\bparcels?\b/i, say: 'payload' },
  { never: /\bbells?\b/i, say: 'notifier' },
  { never: /\bunfit\b/i, say: 'unsupported, with a reason' },
  { never: /\bg(?:ive|ives|ave|iving) way\b/i, say: 'yield' },
  { never: /\b(?:told|tells?) apart\b/i, say: 'distinguished' },
  { never: /\btold\b/i, say: 'reported, said' },
  { never: /\b(goOn|takeUp|Sight)\b/, say: 'continue, resume, observation' },
  { never: /\bshar(?:e|es|ed|ing) (?:the )?(?:work|steps|maps)\b/i, say: 'reuse' },
  { never: /\bsettles?d?\b/i, say: 'apply, resolve, end' },
];
