// An issuer of OpenID Connect: oauth2-mock-server from npm, whose discovery, JWKS and RS256 signatures are real.
//
// A token's claims are what the request's `claims` (JSON, a form field of POST /token) says, on top of iss, iat and exp:
// `grant_type=client_credentials&aud=AUDIENCE&claims={"email":…}`, or what the same parameter of the address said under which the
// person signed in (GET /authorize, which asks nobody anything). Usage: node oidc-issuer.cjs NODE_MODULES PORT

"use strict";
const [modules, port] = process.argv.slice(2);
const { OAuth2Server } = require(`${modules}/oauth2-mock-server`);

(async () => {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  const signedIn = new Map();
  server.service.on("beforeAuthorizeRedirect", (redirect, request) => {
    if (request.query.claims) signedIn.set(redirect.url.searchParams.get("code"), request.query.claims);
  });
  server.service.on("beforeTokenSigning", (token, request) => {
    const claims = request.body && (request.body.claims || signedIn.get(request.body.code));
    if (claims) Object.assign(token.payload, JSON.parse(claims));
  });
  // Set before it listens: clients compare it with the address that they know.
  server.issuer.url = `http://127.0.0.1:${port}`;
  await server.start(Number(port), "127.0.0.1");
  server.issuer.url = `http://127.0.0.1:${port}`;
})();
