"""A token endpoint that behaves as Google's does for service accounts, and an API that wants its tokens.

No package offers one, so this is made of Authlib's RFC 7523 server: the assertion's RS256 signature, its audience, issuer
and times are really checked. It writes the key file that fits it, whose `token_uri` leads nowhere, because a client must
not follow it.

    POST /token        assertion -> access token, one hour
    POST /short-token  the same with tokens of one minute
    GET  /seen         the claims of the assertions that were accepted
    GET  /api          200 with a token that was issued and has not expired, else 401
"""

import argparse
import json
import logging
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc7523 import JWTBearerGrant
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, jsonify, request
from joserfc.jwk import RSAKey

EMAIL = "loader@test-project.iam.gserviceaccount.com"

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments.add_argument("--key-file", required=True)
arguments = arguments.parse_args()

key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
public = key.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
with open(arguments.key_file, "w") as file:
    json.dump(
        {
            "type": "service_account",
            "project_id": "test-project",
            "private_key_id": "key-1",
            "private_key": pem,
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": "http://127.0.0.1:1/not-the-endpoint",
        },
        file,
    )

seen = []
valid_until = {}


class ServiceAccount(ClientMixin):
    def check_grant_type(self, grant_type):
        return grant_type == JWTBearerGrant.GRANT_TYPE

    def get_allowed_scope(self, scope):
        return scope or ""


class Grant(JWTBearerGrant):
    def get_audiences(self):
        return [f"http://127.0.0.1:{arguments.port}{request.path}"]

    def resolve_issuer_client(self, issuer):
        return ServiceAccount() if issuer == EMAIL else None

    def resolve_client_public_key(self, client):
        return RSAKey.import_key(public)

    def verify_claims(self, claims):
        super().verify_claims(claims)
        seen.append(claims)


def make_token(grant_type, client, user=None, scope=None, expires_in=None, include_refresh_token=False):
    lifetime = 60 if request.path == "/short-token" else 3600
    token = f"token-{len(valid_until)}"
    valid_until[token] = time.time() + lifetime
    return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}


app = Flask(__name__)
logging.getLogger("werkzeug").setLevel(logging.INFO)
server = AuthorizationServer(app, query_client=lambda _id: None, save_token=lambda *_: None)
server.register_grant(Grant)
server.register_token_generator("default", make_token)


@app.post("/token")
@app.post("/short-token")
def token():
    return server.create_token_response()


@app.get("/seen")
def list_seen():
    return jsonify(seen)


@app.get("/api")
def api():
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or valid_until.get(token, 0) < time.time():
        return jsonify({"error": {"code": 401, "message": "Invalid Credentials"}}), 401
    return jsonify({"token": token})


app.run(host="127.0.0.1", port=arguments.port, threaded=True)
