// Takes mail in place of a mail server, and keeps the latest of it for the page to show.
const MOST_MESSAGES = 20;

export function createMailCatcher() {
  const messages = [];
  return {
    /** Newest first. */
    messages,
    /** For the option `email.send`. */
    send({ to, from, subject, text }) {
      messages.unshift({ to, from: `${from.name} <${from.address}>`, subject, text });
      messages.splice(MOST_MESSAGES);
    },
  };
}
