import { existsSync } from 'node:fs';
import path from 'node:path';
import type { RequestHandler, Response } from 'express';
import { notLoaded } from '../core/optional-packages.js';
import type { Logger } from '../core/ports.js';
import { type Route, waitFor } from './router.js';

/** What of Swagger UI a browser gets. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

/**
 * `GET /docs`: the API document as a page of Swagger UI, served from the installed package swagger-ui-dist; nothing is
 * loaded from elsewhere. Where that package is not there, the log says so at once and the page is `config_invalid`.
 */
export function docsRoutes({ title, logger }: { title: string; logger: Logger }): Route[] {
  let folder = '';
  async function load(): Promise<void> {
    try {
      const { default: absolutePath } = await import('swagger-ui-dist/absolute-path.js');
      folder = folderOfFiles(absolutePath());
    } catch (cause) {
      throw notLoaded('docs', ['swagger-ui-dist'], cause, logger);
    }
  }
  const ready = load();

  const page: RequestHandler = (req, res) => {
    // What the page refers to is relative to its own address, which is the one without a slash at its end.
    if (req.path.endsWith('/')) res.redirect(301, '../docs');
    else secured(res).type('html').send(html(title));
  };
  const start: RequestHandler = (_req, res) => void secured(res).type('js').send(START);
  const files = FILES.map((name): Route => {
    const send: RequestHandler = (_req, res, next) => {
      secured(res).sendFile(name, { root: folder }, (error?: Error & { status?: number }) => {
        // One without a status is the connection's: the browser went away, and there is nobody to tell.
        if (error?.status !== undefined && !res.headersSent && !res.destroyed) next(error);
      });
    };
    return { method: 'get', path: `/docs/${name}`, handlers: [waitFor(ready), send] };
  });
  return [
    { method: 'get', path: '/docs', handlers: [waitFor(ready), page] },
    { method: 'get', path: '/docs/start.js', handlers: [start] },
    ...files,
  ];
}

/** The package finds its files by the place of its code, which in a bundle is the bundle's. */
function folderOfFiles(folder: string): string {
  if (FILES.every((name) => existsSync(path.join(folder, name)))) return folder;
  throw new Error(`its files are not in ${folder}. In a bundled server, swagger-ui-dist must be external`);
}

function secured(res: Response): Response {
  return res.set({
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
  });
}

/** Swagger UI's icons are data URLs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

function html(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;
}

const START = `SwaggerUIBundle({
  url: new URL('../openapi.json', document.currentScript.src).href,
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
});
`;

function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}
