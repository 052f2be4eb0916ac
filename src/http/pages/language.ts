import type { Request } from 'express';
import type { PageLanguage } from './texts.js';

/** `?locale` where it names one of the languages, else the first of `Accept-Language` that is there, else English. */
export function chooseLanguage(req: Request, languages: readonly PageLanguage[]): PageLanguage {
  const asked = req.query['locale'];
  const wanted = [...(typeof asked === 'string' ? [asked] : []), ...req.acceptsLanguages()];
  for (const tag of wanted) {
    const found = findLanguage(tag, languages);
    if (found !== undefined) return found;
  }
  return languages[0] as PageLanguage;
}

/** The tag itself, else with its subtags taken off from the end (RFC 4647 §3.4, lookup). */
function findLanguage(wanted: string, languages: readonly PageLanguage[]): PageLanguage | undefined {
  const subtags = wanted.slice(0, 35).toLowerCase().split(/[-_]/);
  while (subtags.length > 0) {
    const tag = subtags.join('-');
    const found = languages.find((language) => language.tag.toLowerCase() === tag);
    if (found !== undefined) return found;
    subtags.pop();
  }
  return undefined;
}

/** `in 27 seconds`, in the language and in the case that it asks for; in minutes from two of them on. */
export function whenIn(seconds: number, { tag }: PageLanguage): string {
  const format = new Intl.RelativeTimeFormat(tag);
  return seconds < 120 ? format.format(seconds, 'second') : format.format(Math.ceil(seconds / 60), 'minute');
}
