import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { createTestAuth, type TestAuthOptions, type TestAuth } from '../../src/testing/index.js';
import { closeAfterFile } from '../support/closing.js';

/** How the way to the server is, for requests that match. */
export type Weather = 'fine' | 'unreachable' | 'bad_gateway' | 'captive_portal';

/** A real application on a real port, with a way to it that can be made bad. */
export interface WeatherServer extends TestAuth {
  origin: string;
  /** `METHOD /path status` of what was answered, in the order of the answers. */
  answered: string[];
  /** Of requests to /seen: the Authorization header, or what there was instead. */
  seen: string[];
  turn(weather: Weather): void;
  /** Holds back requests to the path until it is let go; `arrived` resolves when the first one is there. */
  hold(path: string): { arrived: Promise<void>; letGo: () => void };
}

/** Starts one; it is closed after the file's last test. `pages`: what it serves besides. */
export async function startWeatherServer(
  options: TestAuthOptions = {},
  pages?: RequestHandler,
): Promise<WeatherServer> {
  const kit = createTestAuth(options);
  const { auth } = kit;
  const answered: string[] = [];
  const seen: string[] = [];
  const held = new Map<string, { arrive(): void; gate: Promise<void> }>();
  let weather: Weather = 'fine';

  const app = express();
  app.use((req, res, next) => {
    const { method, path } = req; // a router changes the path while it has the request
    res.once('finish', () => answered.push(`${method} ${path} ${res.statusCode}`));
    if (weather === 'unreachable') req.socket.destroy();
    else if (weather === 'bad_gateway') res.status(502).type('html').send('<h1>Bad gateway</h1>');
    else if (weather === 'captive_portal') res.type('html').send('<h1>Welcome to our Wi-Fi</h1>');
    else next();
  });
  app.use((req, _res, next) => {
    const hold = held.get(req.path);
    hold?.arrive();
    void (hold?.gate ?? Promise.resolve()).then(() => next());
  });
  app.use(crossOrigin(options.allowedOrigins ?? []));
  if (pages) app.use(pages);
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json({ id: req.user?.id });
  });
  app.post('/echo', express.text(), auth.requireUser, (req, res) => {
    res.send(req.body);
  });
  app.get('/maybe', auth.optionalUser, (req, res) => {
    res.json({ id: req.user?.id ?? null });
  });
  app.get('/recent', auth.requireRecent(60), (_req, res) => {
    res.json('recent');
  });
  app.get('/never', (_req, res) => {
    res.status(401).json('never');
  });
  app.get('/seen', (req, res) => {
    seen.push(req.headers.authorization ?? 'none');
    res.json('seen');
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closeAfterFile(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await auth.close();
  });

  return {
    ...kit,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered,
    seen,
    turn(next) {
      weather = next;
    },
    hold(path) {
      let letGo = () => {};
      let arrive = () => {};
      const gate = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      held.set(path, { arrive, gate });
      return { arrived, letGo };
    },
  };
}

/** What an application does with the package `cors`. */
function crossOrigin(origins: readonly string[]): RequestHandler {
  return (req, res, next) => {
    const { origin } = req.headers;
    if (origin === undefined || !origins.includes(origin)) {
      next();
      return;
    }
    res.set('Access-Control-Allow-Origin', origin).set('Access-Control-Allow-Credentials', 'true');
    if (req.method === 'OPTIONS') res.set('Access-Control-Allow-Headers', 'authorization, content-type').end();
    else next();
  };
}
