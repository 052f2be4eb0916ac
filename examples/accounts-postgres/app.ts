import express, { type Express } from 'express';
import type { OtpAuth } from 'express-otp-auth';
import type { Pool } from 'pg';

/** The application: people sign in at `/auth`, and everybody has a favourite colour. */
export function createApp(auth: OtpAuth, pool: Pool): Express {
  const app = express();
  app.use('/auth', auth);
  app.use(express.json(), auth.requireUser);

  app.get('/colour', async (req, res) => {
    const { rows } = await pool.query('SELECT colour FROM people WHERE id = $1', [req.user?.id]);
    res.json(rows[0]);
  });
  app.put('/colour', async (req, res) => {
    await pool.query('UPDATE people SET colour = $1 WHERE id = $2', [String(req.body.colour), req.user?.id]);
    res.sendStatus(204);
  });
  return app;
}
