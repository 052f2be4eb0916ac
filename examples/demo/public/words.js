const AT_STEP = {
  address: 'That is not an e-mail address. Type one, such as jo@example.com.',
  code: 'Type all the digits of the code, and nothing else.',
};

const WORDS = {
  invalid_otp: () => 'This code is wrong, or it works no more. Look at the newest message, or send a new code.',
  rate_limited: ({ retryAfter }) => `That was too often. Try again in ${duration(retryAfter)}.`,
  delivery_failed: () => 'The message could not be sent. Is the mail server running?',
  store_unavailable: () => 'The application does not reach its store. Is Redis running? Try again in a moment.',
  network_error: () => 'There is no answer. Is the demo still running?',
};

/** An error of the client, or of an answer, for people. */
export function inWords(error, step) {
  if (error.code === 'invalid_request' && step in AT_STEP) return AT_STEP[step];
  return WORDS[error.code]?.(error) ?? error.message ?? error.detail;
}

function duration(seconds) {
  const [count, unit] =
    seconds < 60 ? [seconds, 'second'] : seconds < 3600 ? [seconds / 60, 'minute'] : [seconds / 3600, 'hour'];
  return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(Math.ceil(count));
}
