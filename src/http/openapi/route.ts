import { sendJson } from '../json.js';
import type { Route } from '../router.js';
import { type DocumentDeps, type OpenApiDocument, openApiDocument } from './document.js';

/** The document, and where it is read. */
export interface OpenApi {
  /** A copy of the caller's own. */
  document(): OpenApiDocument;
  /** `GET /openapi.json` */
  route: Route;
}

/** Nothing is made of the schemas before somebody asks: that takes longer than all the rest of a start. */
export function createOpenApi(deps: DocumentDeps): OpenApi {
  let made: OpenApiDocument | undefined;
  const document = () => (made ??= openApiDocument({ ...deps, routes: [...deps.routes, route] }));
  const route: Route = { method: 'get', path: '/openapi.json', handlers: [(_req, res) => sendJson(res, document())] };
  return { document: () => structuredClone(document()), route };
}
