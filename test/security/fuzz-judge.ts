import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { HostileRequest, Surface } from './fuzz-requests.js';
import type { Received } from './fuzz-send.js';

/** The part of an OpenAPI document that answers are judged by. */
export interface ApiDocument {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
  components: Record<string, Record<string, object>>;
}

/** Says what is wrong with an answer; nothing where it is one that may be. */
export type Judge = (request: HostileRequest, answer: Received) => string | undefined;

/** What nobody outside has any business to see. */
const INTERNALS = [
  /\bat (?:async )?(?:\w|\.|<|\[| )+ \(?(?:file:|node:|\/)/,
  /\bat (?:file:|node:|\/)\S+:\d+:\d+/,
  /node_modules|\/(?:src|dist|home|root|usr|tmp|work)\/|\b[A-Z]:\\/,
  /\b(?:Type|Reference|Range|Syntax|URI|Reply|Zod|Assertion|JsonWebToken|Redis)Error\b/,
  // Not inside of a random value, of which some part spells nearly anything once in some thousand answers.
  /(?<![\w+/=-])(?:ioredis|jsonwebtoken|nodemailer|body-parser|zod|Redis|EVALSHA|Lua|libphonenumber|otplib)(?![\w+/=])/i,
  /Cannot read propert|is not a function|is not iterable|undefined \(|\[object Object\]/,
  /-----BEGIN|redis:\/\//,
];
/** What Node's server answers by itself to what is no HTTP, before anything of the application is asked. */
const OF_THE_SERVER = new Set([400, 408, 413, 414, 417, 431, 501, 505]);

export function createJudge({ mountPath, routes }: Surface, document: ApiDocument): Judge {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'document', components: document.components });
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (schema: object) => {
    const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
    compiled.set(text, validate);
    return validate;
  };
  const isProblem = validatorOf({ $ref: '#/components/schemas/Problem' });
  const isOauthError = validatorOf({ $ref: '#/components/schemas/OauthError' });

  const operationOf = (method: string, path: string) =>
    document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];

  const judgeError = (path: string, { status, headers, text }: Received): string | undefined => {
    const body = readJson(text);
    if (headers['content-type']?.startsWith('application/problem+json')) {
      if (!isProblem(body)) return `a problem document that is none: ${ajv.errorsText(isProblem.errors)}`;
      return (body as { status: number }).status === status ? undefined : 'another status in the body';
    }
    if (/^\/(?:token|revoke)$/.test(path)) return isOauthError(body) ? undefined : 'no OAuth 2.0 error';
    return 'no problem document';
  };

  const judgeSuccess = (method: string, path: string, { status, headers, text }: Received): string | undefined => {
    const described = operationOf(method, path)?.responses[String(status)];
    if (described === undefined) return `status ${status} is not in the API document`;
    if (described.content === undefined) return text === '' ? undefined : 'a body where there is none';
    const mediaType = headers['content-type']?.split(';')[0] ?? '';
    const content = described.content[mediaType];
    if (content === undefined) return `${mediaType} is not in the API document`;
    if (mediaType === 'text/html') return undefined;
    const validate = validatorOf(content.schema);
    return validate(readJson(text)) ? undefined : `not as in the API document: ${ajv.errorsText(validate.errors)}`;
  };

  const judgeOwn = (request: HostileRequest, answer: Received): string | undefined => {
    const { path } = request.route as { path: string };
    const { status, headers, text } = answer;
    if (headers['cache-control'] === undefined) return 'no Cache-Control';
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
    const isRead = request.method === 'HEAD' && methods.includes('GET');
    if (!methods.includes(request.method) && !isRead) {
      if (status !== 405 || headers['allow'] !== methods.join(', ')) return 'no 405 with the methods that there are';
      return request.method === 'HEAD' || judgeError(path, answer) === undefined ? undefined : 'no problem document';
    }
    // Elsewhere on this site, and nowhere that a stranger chose.
    if (status > 300 && status < 304)
      return /^\/(?![/\\])/.test(headers['location'] ?? '') ? undefined : `it leads to ${headers['location']}`;
    if (status === 304 && request.headers.some(([name]) => /^if-none-match$/i.test(name))) return undefined;
    if (request.method === 'HEAD') return text === '' ? undefined : 'a body in answer to HEAD';
    // The sign-in page's own parts speak HTML, and are not in the document.
    if (operationOf(request.method, path) === undefined || isHtml(answer)) return undefined;
    return status >= 400 ? judgeError(path, answer) : judgeSuccess(request.method, path, answer);
  };

  return (request, answer) => {
    const { status, headers, text } = answer;
    if (status >= 500 && !(OF_THE_SERVER.has(status) && text === '')) return 'a failure of the server';
    // Scripts and pictures of the documentation's page are the same for everyone.
    const isAsset = /^(?:(?:text|application)\/javascript|text\/css|image\/)/.test(headers['content-type'] ?? '');
    const leak = isAsset
      ? undefined
      : INTERNALS.find((pattern) => pattern.test(text) || pattern.test(headers['www-authenticate'] ?? ''));
    if (leak !== undefined) return `it tells internals: ${leak}`;
    if (status === 0 || (OF_THE_SERVER.has(status) && text === '')) return undefined;
    if (request.route === undefined || request.raw !== undefined) return undefined;
    if (!request.path.startsWith(mountPath)) return undefined;
    return judgeOwn(request, answer);
  };
}

function isHtml({ headers }: Received): boolean {
  return headers['content-type']?.startsWith('text/html') === true;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'latin1').toString()) as unknown;
  } catch {
    return undefined;
  }
}
