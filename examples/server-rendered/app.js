import path from 'node:path';
import express from 'express';

const here = import.meta.dirname;

/** What makes the router fit for pages that are rendered on the server. */
export const browserOptions = {
  pages: { appName: 'Notebook', returnTo: '/notes', css: '/sign-in.css' },
  cookie: { accessToken: true },
};

/** The application. What signs people in is handed over, so that tests can hand over another. */
export function createApp(auth) {
  const app = express();
  app.set('view engine', 'ejs').set('views', path.join(here, 'views'));
  app.use(express.static(path.join(here, 'public')));
  app.use('/auth', auth);

  // Each user's notes, in memory: they are gone when the process ends.
  const notes = new Map();
  const notesOf = (user) => notes.get(user.id) ?? [];

  // For everybody; the page knows who is signed in.
  app.get('/', auth.optionalUser, (req, res) => {
    res.render('home', { user: req.user });
  });

  // A browser that is not signed in goes to the sign-in page, and comes back.
  app.get('/notes', auth.requireUser, (req, res) => {
    res.render('notes', { user: req.user, notes: notesOf(req.user) });
  });

  // Another site's page cannot post here: requireUser refuses cookies that come with its requests.
  app.post('/notes', auth.requireUser, express.urlencoded(), (req, res) => {
    const text = String(req.body?.text ?? '').slice(0, 500);
    if (text.trim() !== '') notes.set(req.user.id, [...notesOf(req.user), text]);
    res.redirect(303, '/notes');
  });

  return app;
}
