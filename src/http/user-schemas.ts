import { z } from 'zod';
import type { ReadIdentifier } from '../core/identifier.js';
import { identified, identifierReader, locale } from './schemas.js';

/** Text that fits on a line, in a token and in every database. */
const line = (longest: number) =>
  z
    .string()
    .trim()
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must have no line breaks and no control characters');

const fullName = line(200)
  .transform((name) => (name === '' ? null : name))
  .nullable()
  .optional();

const roles = z
  .array(line(64).min(1))
  .max(32)
  .transform((names) => [...new Set(names)])
  .optional();

const disabled = z.boolean().optional();

const wholeNumber = (least: number, most: number) =>
  z
    .union([z.string().regex(/^[0-9]{1,9}$/, 'must be a whole number'), z.number()])
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** Bodies and queries of the endpoints on users. Members that are not named here do nothing, whoever sends them. */
export function createUserSchemas({ codeLength, read }: { codeLength: number; read: ReadIdentifier }) {
  const withIdentifier = identifierReader(read);
  const otp = z.string().regex(new RegExp(`^[0-9]{${codeLength}}$`), `must be a string of ${codeLength} digits`);
  const canonical = (kind: keyof ReadIdentifier, message: string) =>
    z
      .string()
      .transform((text, context) => {
        const identifier = read[kind](text);
        if (identifier !== undefined) return identifier.value;
        context.addIssue({ code: 'custom', message, input: undefined });
        return z.NEVER;
      })
      .nullable()
      .optional();

  return {
    changeIdentifier: z.object({ ...identified, locale }).transform(withIdentifier),
    verifyIdentifier: z.object({ ...identified, otp, locale }).transform(withIdentifier),
    updateMe: z.object({ full_name: fullName }).transform(({ full_name }) => ({ fullName: full_name })),
    createUser: z
      .object({ ...identified, full_name: fullName, roles, disabled })
      .transform(withIdentifier)
      .transform(({ full_name, ...rest }) => ({ ...rest, fullName: full_name })),
    updateUser: z
      .object({
        email: canonical('email', 'must be one plain e-mail address'),
        phone_number: canonical('phoneNumber', 'is not a phone number that codes are sent to'),
        full_name: fullName,
        roles,
        disabled,
      })
      .transform(({ phone_number, full_name, ...rest }) => ({
        ...rest,
        phoneNumber: phone_number,
        fullName: full_name,
      })),
    listUsers: z.object({
      skip: wholeNumber(0, 999_999_999).default(0),
      limit: wholeNumber(1, 1000).default(100),
      query: line(254)
        .transform((text) => (text === '' ? undefined : text))
        .optional(),
    }),
  };
}

export type UserSchemas = ReturnType<typeof createUserSchemas>;
