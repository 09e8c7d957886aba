// Every word that people read. Components take texts from here and write none themselves, so that another language is another
// folder beside `en` and one more line in LANGUAGES; what a text needs (names, counts already formatted) are its arguments.
import { en } from './en';

export type Texts = typeof en;

const LANGUAGES: Record<string, Texts> = { en };

function choose(wanted: readonly string[]): Texts {
  for (const tag of wanted) {
    const found = LANGUAGES[tag.split('-')[0] ?? ''];
    if (found) return found;
  }
  return en;
}

export const t: Texts = choose(globalThis.navigator?.languages ?? []);

const rules = new Intl.PluralRules('en');

/** The form of a text for a count: `plural(2, { one: 'run', other: 'runs' })`. */
export function plural(count: number, forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }): string {
  return forms[rules.select(count)] ?? forms.other;
}
