import http from 'node:http';

/** What the endpoints' bodies may hold, as CONTRACT.md names it; a test reads only what it expects to be there. */
export interface AnswerBody {
  message?: string;
  expires_in?: number;
  resend_in?: number;
  access_token?: string;
  token_type?: string;
  refresh_token?: string;
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  errors?: { path: string; message: string }[];
  retry_after?: number;
  max_age?: number;
  [member: string]: unknown;
}

/** One answer, read to its end. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Empty where the body is not JSON. */
  body: AnswerBody;
  text: string;
  /** The `Set-Cookie` fields. */
  cookies: SetCookie[];
}

/** A `Set-Cookie` field, taken apart; attributes by their names in lower case, flags as `true`. */
export interface SetCookie {
  name: string;
  value: string;
  attributes: Record<string, string | true>;
}

/** What is sent. A body that is neither text nor bytes goes as JSON. */
export interface Call {
  method?: string;
  body?: unknown;
  /** Several values of one name are sent as so many fields. */
  headers?: Record<string, string | string[]>;
}

/** Sends one request exactly as it is described: nothing is added that a test could not see. */
export async function call(url: string, { method = 'POST', body, headers = {} }: Call = {}): Promise<Answer> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined || isRaw ? body : JSON.stringify(body);
  const mediaType = body === undefined || isRaw ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: { ...mediaType, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(answer(response, Buffer.concat(chunks).toString())));
    });
    request.on('error', reject);
    request.end(payload);
  });
}

/** `name=value` of a cookie that was set, as a browser sends it back. */
export function cookieHeader({ name, value }: SetCookie): { Cookie: string } {
  return { Cookie: `${name}=${value}` };
}

function answer(response: http.IncomingMessage, text: string): Answer {
  const isJson = /[/+]json\b/.test(response.headers['content-type'] ?? '');
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: (isJson && text !== '' ? JSON.parse(text) : {}) as AnswerBody,
    text,
    cookies: (response.headers['set-cookie'] ?? []).map(setCookie),
  };
}

function setCookie(field: string): SetCookie {
  const [pair = '', ...attributes] = field.split('; ');
  return {
    name: pair.slice(0, pair.indexOf('=')),
    value: pair.slice(pair.indexOf('=') + 1),
    attributes: Object.fromEntries(
      attributes.map((attribute) => {
        const [name = '', value] = attribute.split('=');
        return [name.toLowerCase(), value ?? true];
      }),
    ),
  };
}
