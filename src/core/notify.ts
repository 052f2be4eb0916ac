import type { Background } from './background.js';
import { type Identifier, maskIdentifier } from './identifier.js';
import type { Channel, Logger, NoticeKind } from './ports.js';

/** Tells the holder of an account of a change to it, in the background: what was changed stays changed. */
export type Notify = (identifier: Identifier, kind: NoticeKind, locale: string) => void;

export function createNotify({
  channels,
  background,
  logger,
}: {
  channels: Readonly<Record<Identifier['kind'], Channel | undefined>>;
  background: Background;
  logger: Logger;
}): Notify {
  return (identifier, kind, locale) =>
    background.run(async () => {
      try {
        await channels[identifier.kind]?.notify?.({ to: identifier.value, kind, locale });
      } catch {
        logger.warn(`express-otp-auth: the notice '${kind}' for ${maskIdentifier(identifier)} could not be sent`);
      }
    });
}
