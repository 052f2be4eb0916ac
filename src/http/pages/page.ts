import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { type Html, html, trusted } from './html.js';
import { sendJson } from '../json.js';
import { pathOfThisOrigin } from './return-to.js';
import { SCRIPT, SCRIPT_HEADER } from './script.js';
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

/** Whether a form came by the page's script. */
export function isFromScript(req: Request): boolean {
  return req.get(SCRIPT_HEADER) !== undefined;
}

/** Sends a page, whole; to its script, what changes of it. */
export function sendPage(req: Request, res: Response, frame: Frame, view: View, status = 200): void {
  res.vary('Accept-Language').status(status);
  if (isFromScript(req)) {
    sendJson(res, { title: titleOf(frame, view), view: contentOf(frame, view).markup });
    return;
  }
  const nonce = randomBytes(16).toString('base64');
  setSecurityHeaders(res, nonce, frame);
  res.type('html').send(documentOf(req, frame, view, nonce).markup);
}

function documentOf(req: Request, frame: Frame, view: View, nonce: string): Html {
  const { language, css } = frame;
  return html`<!doctype html>
    <html lang="${language.tag}" dir="${language.texts.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no" />
        ${view.next === undefined ? undefined : html`<meta http-equiv="refresh" content="0; url=${view.next}" />`}
        <title>${titleOf(frame, view)}</title>
        <style nonce="${nonce}">
          ${trusted(STYLE)}
        </style>
        ${css === undefined ? undefined : html`<link rel="stylesheet" nonce="${nonce}" href="${css}" />`}
      </head>
      <body>
        <main>${contentOf(frame, view)}</main>
        ${languageList(req, frame)}
        <script nonce="${nonce}">
          ${trusted(SCRIPT)};
        </script>
      </body>
    </html> `;
}

function titleOf({ language }: Frame, { isError, title }: View): string {
  return isError === true ? `${language.texts.errorPrefix}: ${title}` : title;
}

function contentOf({ logoUrl, appName }: Frame, { main }: View): Html {
  return logoUrl === undefined ? main : html`<img class="logo" src="${logoUrl}" alt="${appName}" />${main}`;
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
