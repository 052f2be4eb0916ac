import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { type Html, html, trusted } from './html.js';
import { pathOfThisOrigin } from './return-to.js';
import { SCRIPT } from './script.js';
import { type Foreign, setSecurityHeaders } from './security-headers.js';
import { STYLE } from './style.js';
import type { PageLanguage } from './texts.js';
import type { View } from './views.js';

/** What is around every view. */
export interface Frame extends Foreign {
  language: PageLanguage;
  languages: readonly PageLanguage[];
  appName: string;
}

/** Sends a page, whole. */
export function sendPage(req: Request, res: Response, frame: Frame, view: View, status = 200): void {
  const nonce = randomBytes(16).toString('base64');
  setSecurityHeaders(res, nonce, frame);
  res
    .vary('Accept-Language')
    .status(status)
    .type('html')
    .send(documentOf(req, frame, view, nonce).markup);
}

function documentOf(req: Request, frame: Frame, view: View, nonce: string): Html {
  const { language, logoUrl, css, appName } = frame;
  const { texts } = language;
  const title = `${view.isError === true ? `${texts.errorPrefix}: ` : ''}${view.title}`;
  return html`<!doctype html>
    <html lang="${language.tag}" dir="${texts.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no" />
        ${view.next === undefined ? undefined : html`<meta http-equiv="refresh" content="0; url=${view.next}" />`}
        <title>${title}</title>
        <style nonce="${nonce}">
          ${trusted(STYLE)}
        </style>
        ${css === undefined ? undefined : html`<link rel="stylesheet" nonce="${nonce}" href="${css}" />`}
      </head>
      <body>
        <main>
          ${logoUrl === undefined ? undefined : html`<img class="logo" src="${logoUrl}" alt="${appName}" />`}
          ${view.main}
        </main>
        ${languageList(req, frame)}
        <script nonce="${nonce}">
          ${trusted(SCRIPT)};
        </script>
      </body>
    </html> `;
}

/** The same page in the other languages. A page is somewhere in the middle of a sign-in, and its cookie knows where. */
function languageList(req: Request, { language, languages }: Frame): Html {
  const items = languages.map(({ tag, texts }) => {
    const query = new URLSearchParams({ locale: tag });
    const returnTo = pathOfThisOrigin(req.query['return_to']);
    const { token, prompt } = req.query;
    if (returnTo !== undefined) query.set('return_to', returnTo);
    if (prompt === 'login') query.set('prompt', prompt);
    if (typeof token === 'string') query.set('token', token);
    const current = tag === language.tag ? html`aria-current="true"` : undefined;
    return html`<li>
      <a href="?${query.toString()}" lang="${tag}" hreflang="${tag}" dir="${texts.direction}" ${current}
        >${texts.name}</a
      >
    </li>`;
  });
  return html`<nav aria-label="${language.texts.languages}">
    <ul>
      ${items}
    </ul>
  </nav>`;
}
