import { parse as parseForm } from 'node:querystring';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { z } from 'zod';
import { OtpAuthError, type Problem } from '../errors.js';
import { sendProblem } from './problem.js';
import { readInput } from './read-input.js';

const JSON_TYPE = 'application/json';
const LARGEST_BODY_BYTES = 8192;
// Compressed bodies are refused: nothing that the endpoints take is worth compressing.
const LIMITS = { limit: LARGEST_BODY_BYTES, inflate: false };

/** Reads a JSON body, whether or not the application has done so before. */
export function jsonBody(): RequestHandler[] {
  return bodyOf(JSON_TYPE, express.json({ ...LIMITS, type: () => true }), JSON.parse);
}

/** The same for a form, as OAuth 2.0 sends them (RFC 6749 appendix B). */
export function formBody(): RequestHandler[] {
  return bodyOf(
    'application/x-www-form-urlencoded',
    express.urlencoded({ ...LIMITS, extended: false, type: () => true }),
    parseForm,
  );
}

function bodyOf(mediaType: string, parse: RequestHandler, parseText: (text: string) => unknown): RequestHandler[] {
  const check: RequestHandler = (req, res, next) => {
    if (!hasBody(req)) next();
    else if (!req.is(mediaType)) sendProblem(res, new OtpAuthError('unsupported_media_type', `Send ${mediaType}.`));
    else if (Number(req.headers['content-length'] ?? 0) > LARGEST_BODY_BYTES) sendProblem(res, tooLarge());
    else next();
  };
  const read: RequestHandler = (req, res, next) => {
    const judge = (error?: unknown) => {
      if (error !== undefined) sendProblem(res, parseError(error, mediaType));
      else if (isOverLimit(req)) sendProblem(res, tooLarge());
      else next();
    };
    if (req.readableEnded) {
      parseReadBody(req, parseText, judge);
      return;
    }
    if (req.headers['transfer-encoding'] !== undefined) refuseWhenTooLong(req, res);
    void parse(req, res, judge);
  };
  return [check, read];
}

/**
 * The body as the schema has it.
 *
 * @throws OtpAuthError `invalid_request` with the path of each problem.
 */
export function validBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const read = readInput(schema, body);
  if ('data' in read) return read.data;
  throw invalidRequest(read.problems);
}

function invalidRequest(errors: Problem[]): OtpAuthError {
  return new OtpAuthError('invalid_request', 'The request body is not valid. See errors.', { errors });
}

/** The parser reads an endless body to its end before it says that it is too large. */
function refuseWhenTooLong(req: Request, res: Response): void {
  let received = 0;
  const count = (chunk: Buffer) => {
    received += chunk.length;
    if (received <= LARGEST_BODY_BYTES) return;
    req.off('data', count);
    // What was refused for another reason still sends its rest; setting a header then would end the process.
    if (res.headersSent) return;
    res.set('Connection', 'close');
    sendProblem(res, tooLarge());
  };
  req.on('data', count);
}

function tooLarge(): OtpAuthError {
  return new OtpAuthError('payload_too_large', `The body may have ${LARGEST_BODY_BYTES} bytes at most.`);
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Where the application has read the body already: `express.raw()` and `express.text()` leave its text, others what it says. */
function parseReadBody(req: Request, parseText: (text: string) => unknown, done: (error?: unknown) => void): void {
  try {
    const body: unknown = req.body;
    if (Buffer.isBuffer(body) || typeof body === 'string') req.body = parseText(body.toString());
  } catch (error) {
    done(error);
    return;
  }
  done();
}

/** An application's own parser may have let more through: in chunks of no announced length, or compressed. */
function isOverLimit({ headers, body }: Request): boolean {
  const wasMeasured = headers['transfer-encoding'] === undefined && headers['content-encoding'] === undefined;
  if (wasMeasured || body === undefined) return false;
  try {
    return JSON.stringify(body).length > LARGEST_BODY_BYTES;
  } catch {
    return true; // nested deeper than the stack is high, which the limit leaves no room for
  }
}

function parseError(error: unknown, mediaType: string): OtpAuthError {
  const { status } = error as { status?: number };
  if (status === 413) return tooLarge();
  if (status === 415) return new OtpAuthError('unsupported_media_type', `Send ${mediaType}, uncompressed, in UTF-8.`);
  const message = mediaType === JSON_TYPE ? 'is not valid JSON, or no object' : `must be ${mediaType}`;
  return invalidRequest([{ path: '', message }]);
}
