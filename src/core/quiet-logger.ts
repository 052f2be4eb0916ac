import type { Logger } from './ports.js';

/** The application's logger; one that throws takes nobody's answer away, and ends no process. */
export function quietLogger(logger: Logger): Logger {
  const quietly =
    (level: keyof Logger) =>
    (...details: unknown[]) => {
      try {
        logger[level](...details);
      } catch {
        // There is nowhere left to tell it.
      }
    };
  return { debug: quietly('debug'), info: quietly('info'), warn: quietly('warn'), error: quietly('error') };
}
