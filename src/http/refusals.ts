import type { Request } from 'express';
import type { Emit } from '../core/events.js';
import type { Clock } from '../core/ports.js';
import type { OtpAuthError } from '../errors.js';
import { requesterOf } from './requester.js';

/** Tells listeners that somebody was refused: for a token that is not good, for a role, for the page that sent the request. */
export type NoteRefusal = (req: Request, error: OtpAuthError, userId?: string) => void;

export function createNoteRefusal({ emit, clock }: { emit: Emit; clock: Clock }): NoteRefusal {
  return (req, { code, status }, userId) => {
    // Who shows nothing has tried nothing: every first visit is that.
    if ((status !== 401 && status !== 403) || code === 'token_missing') return;
    emit('access.refused', { at: clock.now(), userId, ...requesterOf(req), code });
  };
}
