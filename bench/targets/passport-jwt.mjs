import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { blacklistOn, guardedBy, SECRET } from './common.mjs';

export async function start({ redisUrl }) {
  const { isRevoked, revoke } = blacklistOn(redisUrl);
  const options = {
    jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
    secretOrKey: SECRET, // its documents know strings alone
    algorithms: ['HS256'],
  };
  passport.use(
    new Strategy(options, (payload, done) => {
      void isRevoked(payload).then((revoked) => done(null, revoked ? false : { id: payload.sub }), done);
    }),
  );
  return guardedBy([passport.authenticate('jwt', { session: false })], revoke);
}
