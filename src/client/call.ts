import type { OtpClientError, Result } from './answers.js';
import { withTimeLimit } from './time-limit.js';

/** The platform's `fetch`, or one of its kind. */
export type Fetch = (...request: Parameters<typeof globalThis.fetch>) => Promise<Response>;

/** A JSON object off the wire. */
export type Json = Record<string, unknown>;

const ANSWER_WITHIN_MS = 30_000;

/** Posts to an endpoint of the router. Never rejects. */
export async function call(
  fetch: Fetch,
  url: string,
  { body, bearer, credentials }: { body: Json; bearer: string | null | undefined; credentials: 'include' | 'omit' },
): Promise<Result<Json>> {
  try {
    return await withTimeLimit(ANSWER_WITHIN_MS, async (signal) => {
      const response = await fetch(url, {
        method: 'POST',
        credentials,
        signal,
        headers: { 'Content-Type': 'application/json', ...(bearer && { Authorization: `Bearer ${bearer}` }) },
        body: JSON.stringify(body),
      });
      return resultOf(response, await response.text());
    });
  } catch (cause) {
    return failure({ code: 'network_error', message: 'The server could not be reached.', cause });
  }
}

export function failure(error: OtpClientError): { data: null; error: OtpClientError } {
  return { data: null, error };
}

export function unexpected(status?: number, retryAfter?: number): { data: null; error: OtpClientError } {
  const message = 'The server did not answer as expected.';
  return failure({ code: 'unexpected_response', message, status, retryAfter });
}

function resultOf({ ok, status, headers }: Response, text: string): Result<Json> {
  const body = objectIn(text);
  if (ok && body) return { data: body, error: null };
  const retryAfter = Number(body?.['retry_after'] ?? headers.get('Retry-After')) || undefined;
  if (typeof body?.['code'] !== 'string') return unexpected(status, retryAfter);
  const { code, detail, errors, mfa_token: mfaToken, methods } = body;
  // As the server has them; what a code comes with is the server's promise.
  return failure({ code, status, retryAfter, errors, mfaToken, methods, message: detail } as OtpClientError);
}

function objectIn(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value instanceof Object ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
