"""Signatures of AWS, version 4, computed by its documentation and by nothing of the module's: what the stub of
t/chaos/tools/aws judges requests by. `python3 t/chaos/tools/aws_signature.py` compares it with AWS's published test vectors.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""

import hashlib
import hmac
import re

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
                           r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret, date, region, service):
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = keyed(key, part)
    return key


def canonical_request(method, target, headers, signed, body):
    """`headers`: values by names in small letters."""
    path, _, query = target.partition("?")
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed]
    return "\n".join([method, path or "/", "&".join(sorted(query.split("&"))), *lines, "", ";".join(signed),
                      hashlib.sha256(body).hexdigest()])


def signature(secret, scope, stamp, canonical):
    date, region, service = scope
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{date}/{region}/{service}/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    return keyed(signing_key(secret, date, region, service), text).hex()


def fault(method, target, headers, body, secrets, scope):
    """What is wrong with a signed request, or None. `secrets`: (secret, session token or None) by access key id;
    `scope`: region and service."""
    found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        return "no signature"
    key_id, date, region, service, names, given = found.groups()
    signed = names.split(";")
    if key_id not in secrets:
        return "an unknown access key"
    secret, token = secrets[key_id]
    if (region, service) != scope:
        return f"signed for {region} and {service}"
    if headers.get("x-amz-security-token") != token:
        return "another session token"
    if signed != sorted(signed) or not {"host", "x-amz-date"} <= set(signed):
        return f"signed headers: {names}"
    unsigned = [name for name in headers if (name.startswith("x-amz-") or name == "content-type") and name not in signed]
    absent = [name for name in signed if name not in headers]
    if unsigned or absent:
        return f"not signed: {unsigned}; not sent: {absent}"
    canonical = canonical_request(method, target, headers, signed, body)
    stamp = headers["x-amz-date"]
    if not stamp.startswith(date) or signature(secret, (date, region, service), stamp, canonical) != given:
        return "the signature does not match"
    return None


# ---- the published vectors (aws-sig-v4-test-suite) ----

SECRETS = {"AKIDEXAMPLE": ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)}
HOST_AND_DATE = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
VECTORS = {
    "get-vanilla": ("GET", "/", {}, b"",
                    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-vanilla-query-order-key-case": ("GET", "/?Param2=value2&Param1=value1", {}, b"",
                                         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    "post-vanilla": ("POST", "/", {}, b"",
                     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-header-key-sort": ("POST", "/", {"my-header1": "value1"}, b"",
                             "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
    "post-x-www-form-urlencoded": ("POST", "/", {"content-type": "application/x-www-form-urlencoded"},
                                   b"Param1=value1",
                                   "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
}


def vector_fault(method, target, more, body, expected):
    headers = {**HOST_AND_DATE, **more}
    names = ";".join(sorted(headers))
    headers["authorization"] = ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                                f"SignedHeaders={names}, Signature={expected}")
    return fault(method, target, headers, body, SECRETS, ("us-east-1", "service"))


def check_vectors():
    for name, vector in VECTORS.items():
        assert vector_fault(*vector) is None, f"{name}: {vector_fault(*vector)}"
        assert vector_fault(*vector[:3], vector[3] + b"x", vector[4]), f"{name}: another body is taken"


if __name__ == "__main__":
    check_vectors()
    print(f"aws_signature: {len(VECTORS)} published vectors")
