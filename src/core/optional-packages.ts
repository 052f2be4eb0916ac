import { OtpAuthError } from '../errors.js';
import type { Logger } from './ports.js';

/**
 * Says in the log why packages that a setting needs are not there, and returns what callers are told, who must not
 * learn the reason. It cannot be known when the factory is called, because packages are loaded in the background.
 *
 * Each package is loaded by an `import()` directly inside a `try`: to bundlers it is then one that may be missing, and
 * an application that does without it builds.
 */
export function notLoaded(setting: string, packages: readonly string[], cause: unknown, logger: Logger): OtpAuthError {
  if (isMissingModule(cause)) {
    logger.error(`express-otp-auth: ${setting} needs ${packages.join(' and ')}: npm install ${packages.join(' ')}`);
    return new OtpAuthError(
      'config_invalid',
      'Something that the configuration needs is not installed. The log names it.',
      { cause },
    );
  }
  logger.error(
    `express-otp-auth: ${setting} needs ${packages.join(' and ')}, which could not be loaded: ${reasonOf(cause)}`,
  );
  return new OtpAuthError(
    'config_invalid',
    'Something that the configuration needs could not be loaded. The log names it.',
    { cause },
  );
}

/** By what `import()` and `require()` say: the package itself, or one that it needs. */
function isMissingModule(cause: unknown): boolean {
  const { code } = (cause ?? {}) as { code?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}

/** On one line: test runners write pages, in errors of another realm, which are no `instanceof Error`. */
function reasonOf(cause: unknown): string {
  const { message = cause } = (cause ?? {}) as { message?: unknown };
  return String(message).replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_REASON);
}
const LONGEST_REASON = 300;
