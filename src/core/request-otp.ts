import { OtpAuthError } from '../errors.js';
import type { Background } from './background.js';
import { drawCode, hashCode } from './code.js';
import type { Emit } from './events.js';
import { type Identifier, maskIdentifier } from './identifier.js';
import { loggableReason } from './loggable-reason.js';
import type { Channel, Clock, CodePurpose, CodeRules, Logger, ReturningDevice, Store } from './ports.js';
import type { Requester } from './requester.js';
import { identifierKeyFor, type Secrets } from './secrets.js';
import { randomId } from './random-id.js';
import type { SmsGuard } from './sms-guard.js';

/** A person asks for a code. */
export interface OtpRequest {
  identifier: Identifier;
  purpose: CodePurpose;
  locale: string;
  /** Whose code it is, where somebody is signed in. */
  userId?: string | undefined;
  requester: Requester;
  device?: ReturningDevice | undefined;
  /** Makes the link that goes with the code, where the browser that asks can be known again. */
  link?: ((code: string, expiresAtMs: number) => string) | undefined;
}

export interface RequestOtpDeps {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  emit: Emit;
  logger: Logger;
  background: Background;
  channels: Readonly<Record<Identifier['kind'], Channel | undefined>>;
  rules: CodeRules;
  /** Where codes go by SMS. */
  smsGuard?: SmsGuard | undefined;
  /**
   * Who may be sent a code to sign in, where not everybody may. It is asked after the answer, so that nothing tells:
   * whoever may not be sent one is answered and counted as everybody else.
   */
  mayReceive?: ((identifier: Identifier) => Promise<boolean>) | undefined;
  settings: {
    codeLength: number;
    delivery: 'await' | 'background';
    storeTimeoutMs: number;
    magicOtp: boolean;
    reviewCodes: readonly { identifier: Identifier; code: string; expiresAtMs: number }[];
  };
}

/** How much longer than for the store an answer waits for a message to be handed over. */
const DELIVERY_PATIENCE_MS = 800;

export type RequestOtp = (request: OtpRequest) => Promise<{ expiresInSeconds: number; resendInSeconds: number }>;

/**
 * Issues a code and hands it over. What it returns rejects with `rate_limited`, `delivery_failed` (the code is
 * withdrawn, and the cool-down lifted) or `store_unavailable`. Where the message is not handed over within 800 ms more
 * than the store may take, it resolves before that; if it is never handed over, the code is withdrawn then.
 */
export function createRequestOtp(deps: RequestOtpDeps): RequestOtp {
  const { store, secrets, clock, emit, settings } = deps;

  return async ({ identifier, purpose, locale, userId, requester, device, link }) => {
    const nowMs = clock.now();
    const context = { at: nowMs, identifier: maskIdentifier(identifier), ...requester, purpose };
    const { code, expiryMs, isSent } = chooseCode(deps, { identifier, purpose }, nowMs);
    const issue = {
      identifierKey: identifierKeyFor(secrets, identifier),
      purpose,
      device,
      nowMs,
      codeId: randomId(),
      // Under the oldest secret, as all that belongs to codes: a process that does not know the newest yet can verify it.
      codeHash: hashCode(secrets, { purpose, identifier, userId }, code).at(-1) as string,
      rules: { ...deps.rules, expiryMs },
    };

    const issued = await store.issueCode(issue);
    if (issued.outcome === 'limited') {
      const retryAfterSeconds = Math.ceil(issued.retryAfterMs / 1000);
      emit('limit.hit', { ...context, limit: issued.limit, retryAfterSeconds });
      throw new OtpAuthError('rate_limited', 'Too many codes were requested. Wait before you ask for another.', {
        retryAfterSeconds,
      });
    }
    emit('otp.requested', context);

    const mayReceive = purpose === 'sign-in' ? deps.mayReceive : undefined;
    const counts = mayReceive === undefined ? 'taken_back' : 'kept';
    const withdraw = () => store.withdrawCode({ ...issue, issuedAtMs: nowMs, counts });
    const guard = isSent && identifier.kind === 'phone' ? deps.smsGuard : undefined;
    const message = { identifier, messageId: issue.codeId, nowMs };

    const admit = async () => {
      try {
        if (mayReceive !== undefined && !(await mayReceive(identifier))) {
          await withdraw();
          return false;
        }
        await guard?.admit(message, context);
        return true;
      } catch (error) {
        await withdraw();
        throw error;
      }
    };
    const deliver = async () => {
      if (!(await admit())) return;
      try {
        const expiresInMinutes = Math.ceil(expiryMs / 60_000);
        if (isSent)
          await channelFor(deps, identifier).send({
            to: identifier.value,
            code,
            expiresInMinutes,
            locale,
            purpose,
            link: link?.(code, nowMs + expiryMs),
          });
        emit('otp.sent', context);
      } catch (cause) {
        emit('otp.delivery_failed', context);
        deps.logger.error(`express-otp-auth: a message could not be handed over: ${loggableReason(cause)}`);
        await Promise.all([withdraw(), guard?.withdraw(message)]);
        throw new OtpAuthError('delivery_failed', 'The message could not be sent. Try again.', { cause });
      }
    };
    // A mail server that is slow is no reason to refuse, nor to keep people waiting: the message may well be taken yet.
    if (settings.delivery === 'await')
      await deps.background.attend(deliver, settings.storeTimeoutMs + DELIVERY_PATIENCE_MS);
    else deps.background.run(deliver); // emitted and logged above

    return {
      expiresInSeconds: Math.floor(expiryMs / 1000),
      resendInSeconds: Math.ceil(deps.rules.resendCooldownMs / 1000),
    };
  };
}

/** A drawn code; zeros in magic mode; a reviewer's own, which never outlives its end. */
function chooseCode(
  { settings, rules, logger }: RequestOtpDeps,
  { identifier, purpose }: Pick<OtpRequest, 'identifier' | 'purpose'>,
  nowMs: number,
) {
  const { expiryMs } = rules;
  const review =
    purpose === 'sign-in'
      ? settings.reviewCodes.find((entry) => entry.identifier.value === identifier.value)
      : undefined;
  if (review !== undefined && review.expiresAtMs > nowMs) {
    logger.warn(`express-otp-auth: the review code of ${maskIdentifier(identifier)} was asked for`);
    return { code: review.code, expiryMs: Math.min(expiryMs, review.expiresAtMs - nowMs), isSent: false };
  }
  if (settings.magicOtp) return { code: '0'.repeat(settings.codeLength), expiryMs, isSent: false };
  return { code: drawCode(settings.codeLength), expiryMs, isSent: true };
}

function channelFor({ channels }: RequestOtpDeps, { kind }: Identifier): Channel {
  const channel = channels[kind];
  if (channel === undefined) throw new Error(`no channel for ${kind}`);
  return channel;
}
