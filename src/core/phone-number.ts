import type { CountryCode, PhoneNumber } from 'libphonenumber-js';
import type { Identifier } from './identifier.js';
import { notLoaded } from './optional-packages.js';
import type { Logger } from './ports.js';

/** Reads phone numbers, of the countries that messages may go to. */
export interface PhoneNumbers {
  /** Resolves when the library is loaded; rejects with `config_invalid` where it is not there. */
  ready: Promise<void>;
  /** E.164; `undefined` for anything that is no such number. Call it after `ready`. */
  parse(input: string): Identifier | undefined;
  /** Country and first digits of a canonical number: what the conversion is counted by. */
  groupOf(value: string): { country: string; prefix: string };
}

export interface PhoneNumberSettings {
  /** ISO 3166-1 alpha-2. */
  allowedCountries: readonly string[];
  /** For numbers in national form. */
  defaultCountry?: string | undefined;
}

// What people write; the library would also read `tel:` addresses, extensions and letters.
const WRITTEN_NUMBER = /^\+?[0-9 ()./-]{4,32}$/;
// No phone that a person holds answers these, and some are billed to whoever sends to them.
const REFUSED_TYPES = new Set(['PREMIUM_RATE', 'SHARED_COST', 'TOLL_FREE', 'UAN', 'VOICEMAIL', 'PAGER']);

/** Loads libphonenumber-js at once, in the background. */
export function createPhoneNumbers(
  { allowedCountries, defaultCountry }: PhoneNumberSettings,
  logger: Logger,
): PhoneNumbers {
  let library: typeof import('libphonenumber-js/max') | undefined;
  async function load(): Promise<void> {
    try {
      library = await import('libphonenumber-js/max');
    } catch (cause) {
      throw notLoaded('sms', ['libphonenumber-js'], cause, logger);
    }
  }
  const allowed = new Set(allowedCountries);

  const read = (input: string): PhoneNumber | undefined =>
    library?.parsePhoneNumberFromString(input, {
      extract: false,
      ...(defaultCountry === undefined ? {} : { defaultCountry: defaultCountry as CountryCode }),
    });
  /** Of a number in no known range, an allowed country with its calling code: a new range must lock nobody out. */
  const countryOf = (number: PhoneNumber): string | undefined =>
    number.country ??
    allowedCountries.find(
      (country) => library?.getCountryCallingCode(country as CountryCode) === number.countryCallingCode,
    );

  return {
    ready: load(),
    parse(input) {
      const text = plain(input);
      const number = WRITTEN_NUMBER.test(text) ? read(text) : undefined;
      if (number === undefined || !number.isPossible() || REFUSED_TYPES.has(number.getType() ?? '')) return undefined;
      return allowed.has(countryOf(number) ?? '') ? { kind: 'phone', value: number.number } : undefined;
    },
    groupOf(value) {
      const number = read(value);
      const country = (number && countryOf(number)) ?? 'unknown';
      return { country, prefix: `+${number?.countryCallingCode ?? ''}${number?.nationalNumber.slice(0, 3) ?? ''}` };
    },
  };
}

/**
 * In the characters of ASCII. Keyboards have digits of their own (full-width, Arabic, Persian), and what is copied from
 * contacts and web pages has no-break spaces, other hyphens, and marks around it that say which way it reads.
 */
function plain(text: string): string {
  return text
    .replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf))
    .replaceAll('\uff0b', '+')
    .replace(/[\u2010-\u2015\u2212\uff0d]/g, '-')
    .replace(/[\u00a0\u2007\u202f\u3000]/g, ' ')
    .replace(/[\u200e\u200f\u202a-\u202d\u2066-\u2069]/g, '')
    .trim();
}
