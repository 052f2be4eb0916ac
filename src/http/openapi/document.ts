import { z } from 'zod';
import { ERRORS, type OtpAuthErrorCode } from '../../errors.js';
import type { CookieSettings } from '../cookie.js';
import type { Route } from '../router.js';
import { type AnswerName, ANSWERS } from './answers.js';
import { type Body, type Credentials, type Operation, operations, type OperationsDeps } from './operations.js';

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, unknown>>;
  components: Record<string, Record<string, unknown>>;
  [member: string]: unknown;
}

export interface DocumentDeps extends OperationsDeps {
  routes: readonly Pick<Route, 'method' | 'path'>[];
  /** The application's name. */
  appName: string;
  cookie: CookieSettings & { name: string; accessToken: boolean; accessTokenName: string };
  /** Whether codes go to phones, too. */
  hasPhones: boolean;
}

/**
 * Describes the routes, from the schemas that validate their bodies. What it refers to is relative to where the
 * document is, because nobody tells a router where it is mounted.
 */
export function openApiDocument(deps: DocumentDeps): OpenApiDocument {
  const described = documentedRoutes(deps);
  const bodies = described.flatMap(({ operation }) => (operation.body ? [operation.body] : []));
  const paths = pathsOf(described, deps);
  return {
    openapi: '3.1.0',
    info: {
      title: `${deps.appName}: signing in`,
      version: '1',
      description:
        'Signing in with one-time codes. Every error is `application/problem+json` (RFC 9457) with a stable `code`, but ' +
        'for those of the OAuth 2.0 endpoints. Members of a body that are not named here are ignored; another method of ' +
        'a path is 405. Every answer carries `Cache-Control: no-store`.',
    },
    servers: [{ url: '.' }],
    paths,
    components: {
      schemas: usedOf(schemasOf(bodies, deps), paths),
      headers: HEADERS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        code: {
          type: 'oauth2',
          description: 'Ask for a code first (`/request-otp`): it is the password, and the address is the user name.',
          flows: { password: { tokenUrl: 'token', refreshUrl: 'token', scopes: {} } },
        },
        refreshCookie: { type: 'apiKey', in: 'cookie', name: nameOf(deps.cookie) },
        ...(deps.cookie.accessToken ? { accessCookie: accessCookie(deps.cookie) } : {}),
      },
    },
  };
}

/** As browsers know it, over HTTPS. */
function nameOf({ name, secure, path, domain }: CookieSettings & { name: string }): string {
  return secure === true && path === '/' && domain === undefined ? `__Host-${name}` : name;
}

function accessCookie({ accessTokenName: name, ...attributes }: DocumentDeps['cookie']): object {
  return { type: 'apiKey', in: 'cookie', name: nameOf({ ...attributes, name, path: '/' }) };
}

interface Documented {
  path: string;
  method: Route['method'];
  operation: Operation;
}

/** Whether it is no more than a part of a page: its forms, scripts and styles. */
export function isPartOfPage({ method, path }: Pick<Route, 'method' | 'path'>): boolean {
  return /^\/(?:docs|sign-in|sign-out)\//.test(path) || (method === 'post' && /^\/sign-(?:in|out)$/.test(path));
}

function documentedRoutes(deps: DocumentDeps): Documented[] {
  const known = operations(deps);
  return deps.routes.flatMap((route) => {
    const operation = known[`${route.method} ${route.path}`];
    return operation === undefined ? [] : [{ path: route.path, method: route.method, operation }];
  });
}

function pathsOf(described: readonly Documented[], deps: DocumentDeps): OpenApiDocument['paths'] {
  const paths: OpenApiDocument['paths'] = {};
  for (const { path, method, operation } of described) {
    const template = path.replace(/:(\w+)/g, '{$1}');
    paths[template] = { ...paths[template], [method]: operationObject(path, operation, deps) };
  }
  return paths;
}

function operationObject(path: string, operation: Operation, { cookie }: DocumentDeps): object {
  const { id, summary, description, tag, credentials = 'none', body, query } = operation;
  const parameters = [...pathParameters(path), ...(query ? queryParameters(query) : [])];
  const isByCookie = cookie.accessToken && credentials === 'access';
  // The cookie is renewed on the way.
  const answers = isByCookie ? { ...operation, setsCookie: true as const } : operation;
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security: [...(isByCookie ? [{ accessCookie: [] }] : []), ...SECURITY[credentials]],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: { ...success(answers), ...failures(answers) },
  };
}

/** An empty one: nothing has to be shown, or it may be in the body as well. */
const SECURITY: Record<Credentials, object[]> = {
  none: [],
  access: [{ code: [] }, { bearer: [] }],
  refresh: [{ refreshCookie: [] }, {}],
  any: [{ code: [] }, { bearer: [] }, { refreshCookie: [] }, {}],
};

function pathParameters(path: string): object[] {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(query: z.ZodObject): object[] {
  // Text as it comes in a URL is what the schema takes; what it makes of it says more.
  const [taken, made] = (['input', 'output'] as const).map((io) => jsonSchema(query, io)['properties']);
  return Object.keys(query.shape).map((name) => {
    const output = (made as Record<string, object>)[name] ?? {};
    const isTold = 'type' in output;
    return { name, in: 'query', required: false, schema: isTold ? output : (taken as Record<string, object>)[name] };
  });
}

function requestBody({ schemas, isForm, isOptional }: Body): object {
  const references = Object.keys(schemas).map(schemaReference);
  const schema = references.length === 1 ? references[0] : { oneOf: references };
  const mediaType = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  return { required: !isOptional, content: { [mediaType]: { schema } } };
}

function success({ answer, status, setsCookie, limitedByAddress }: Operation): Record<string, object> {
  const headers = {
    ...(setsCookie ? { 'Set-Cookie': headerReference('Set-Cookie') } : {}),
    ...(limitedByAddress ? limitHeaders() : {}),
  };
  const content =
    answer === undefined
      ? undefined
      : answer === 'page'
        ? { 'text/html': { schema: { type: 'string' } } }
        : { 'application/json': { schema: schemaReference(answer) } };
  const described = {
    description: answer === undefined ? 'Done' : 'Success',
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(content ? { content } : {}),
  };
  return { [status ?? (answer === undefined ? 204 : 200)]: described };
}

/** One answer for each status, with the codes that it can have. */
function failures({ errors, oauthErrors = [], setsCookie, limitedByAddress }: Operation): Record<string, object> {
  const statuses = [...new Set([...errors.map((code) => ERRORS[code].status), ...oauthErrors])];
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = [...new Set(errors)].filter((code) => ERRORS[code].status === status);
      const isOauth = oauthErrors.includes(status);
      const headers = {
        ...(status === 401 || codes.includes('insufficient_scope')
          ? { 'WWW-Authenticate': headerReference('WWW-Authenticate') }
          : {}),
        ...(codes.includes('invalid_refresh_token') && setsCookie
          ? { 'Set-Cookie': headerReference('Set-Cookie') }
          : {}),
        ...(status === 429 || status === 503 ? { 'Retry-After': headerReference('Retry-After') } : {}),
        // What cannot be read is not counted.
        ...(limitedByAddress && status !== 413 && status !== 415 ? limitHeaders() : {}),
      };
      const titles = codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`);
      const answer = {
        description: titles.length === 0 ? 'An error as RFC 6749 §5.2 has it' : titles.join('; '),
        ...(Object.keys(headers).length === 0 ? {} : { headers }),
        content: {
          ...(isOauth ? { 'application/json': { schema: schemaReference('OauthError') } } : {}),
          ...(codes.length === 0 ? {} : { 'application/problem+json': { schema: problemWith(codes) } }),
        },
      };
      return [status, answer];
    }),
  );
}

function problemWith(codes: readonly OtpAuthErrorCode[]): object {
  return { allOf: [schemaReference('Problem'), { type: 'object', properties: { code: { enum: codes } } }] };
}

const HEADERS = {
  'WWW-Authenticate': {
    description: 'RFC 6750 §3; RFC 9470 where the sign-in is too old',
    schema: { type: 'string', pattern: '^Bearer realm=' },
  },
  'Retry-After': { description: 'Whole seconds', schema: { type: 'integer', minimum: 1 } },
  'Set-Cookie': {
    description: 'The cookies that hold the refresh token and the device token, set or cleared',
    schema: { type: 'string' },
  },
  RateLimit: { description: 'What is left of the limit per address of the network', schema: { type: 'string' } },
  'RateLimit-Policy': { description: 'The limit per address of the network', schema: { type: 'string' } },
};

function limitHeaders(): object {
  return { RateLimit: headerReference('RateLimit'), 'RateLimit-Policy': headerReference('RateLimit-Policy') };
}

function headerReference(name: keyof typeof HEADERS): object {
  return { $ref: `#/components/headers/${name}` };
}

function schemaReference(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

/** The answers' schemas, and those of the bodies. */
function schemasOf(bodies: readonly Body[], { hasPhones }: DocumentDeps): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const name of Object.keys(ANSWERS) as AnswerName[]) registry.add(ANSWERS[name], { id: name });
  const { schemas: answers } = z.toJSONSchema(registry, {
    io: 'input',
    uri: (name) => `#/components/schemas/${name}`,
    override: withoutLargestNumber,
  });
  const schemas: Record<string, object> = Object.fromEntries(
    Object.entries(answers).map(([name, schema]) => [name, withoutDialect(schema)]),
  );
  for (const { schemas: named, names } of bodies)
    for (const [name, schema] of Object.entries(named)) {
      const written = jsonSchema(schema, 'input');
      schemas[name] = names === 'identifier' ? withOneIdentifier(written, hasPhones) : written;
    }
  return schemas;
}

/** Those that something refers to, directly or through another. */
function usedOf(schemas: Record<string, object>, users: object): Record<string, object> {
  const used = new Set<string>();
  const follow = (user: object) => {
    for (const [, name] of JSON.stringify(user).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      const schema = schemas[name as string];
      if (schema === undefined || used.has(name as string)) continue;
      used.add(name as string);
      follow(schema);
    }
  };
  follow(users);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
}

type JsonSchema = Record<string, unknown>;

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return withoutDialect(z.toJSONSchema(schema, { io, unrepresentable: 'any', override: withoutLargestNumber }));
}

/** Whole numbers are as large as JavaScript's can be: that is nothing to tell. */
function withoutLargestNumber({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

/** The dialect is the document's own, and so is the place. */
function withoutDialect({ $schema: _schema, $id: _id, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** What the reader of identifiers asks for beyond the schema's shape. */
function withOneIdentifier({ properties, required = [], ...schema }: JsonSchema, hasPhones: boolean): JsonSchema {
  const { phone_number: phoneNumber, ...others } = properties as Record<string, object>;
  const known = { ...others, email: { type: 'string', examples: ['ann@example.com'] } };
  if (!hasPhones) return { ...schema, properties: known, required: ['email', ...(required as string[])] };
  return {
    ...schema,
    properties: { ...known, phone_number: { ...phoneNumber, examples: ['+4915112345678'] } },
    required,
    oneOf: [{ required: ['email'] }, { required: ['phone_number'] }],
  };
}
