// Plays a thief, to show that a stolen refresh token is worth nothing once its owner has logged out: keeps a copy of a
// browser's cookies, and tries to refresh with them later. Not for an application of yours.
import { randomUUID } from 'node:crypto';
import { Router } from 'express';

const KEPT_MS = 60_000;

export function stolenCookies() {
  const copies = new Map();
  const router = Router();

  router.post('/', (req, res) => {
    const id = randomUUID();
    copies.set(id, req.headers.cookie ?? '');
    setTimeout(() => copies.delete(id), KEPT_MS).unref();
    res.status(201).json({ id });
  });

  router.post('/:id/refresh', async (req, res) => {
    const cookie = copies.get(req.params.id);
    if (cookie === undefined) return res.status(404).json({ detail: 'There is no such copy any more.' });
    copies.delete(req.params.id);
    const url = `http://127.0.0.1:${req.socket.localPort}/auth/refresh`;
    const answer = await fetch(url, { method: 'POST', headers: { Cookie: cookie } });
    const { code, detail } = await answer.json();
    // Had it worked, the new tokens would be in the answer: they are no business of the page's.
    res.status(answer.status).json({ code, detail });
  });

  return router;
}
