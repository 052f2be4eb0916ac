import type { Response } from 'express';

/**
 * Answers with JSON, unless the application has answered meanwhile: one with a time limit of its own does.
 * Not `res.json`, which would hash each answer for an ETag: nobody may store these.
 */
export function sendJson(res: Response, body: object): void {
  if (res.headersSent) return;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.end(JSON.stringify(body));
}
