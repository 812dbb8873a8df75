"""Failures as Supabase Auth words them.

AuthError                        status  code
 |- BadJson                       400    bad_json
 |- ValidationFailed              400    validation_failed
 |- InvalidCredentials            400    invalid_credentials
 |- UnsupportedGrant              400    invalid_credentials
 |- UserBanned                    400    user_banned
 |- RefreshTokenNotFound          400    refresh_token_not_found
 |- RefreshTokenAlreadyUsed       400    refresh_token_already_used
 |- SessionExpired                400    session_expired
 |- PhoneDisabled                 400    phone_provider_disabled
 |- NoAuthorization               401    no_authorization
 |- AccountAalRequired            401    insufficient_aal
 |- EnrolAalRequired              403    insufficient_aal
 |- BadJwt                        403    bad_jwt
 |- BearerBanned                  403    user_banned
 |- UserNotFound                  403    user_not_found
 |- SessionNotFound               403    session_not_found
 |- FactorIdInvalid               404    validation_failed
 |- FactorNotFound                404    mfa_factor_not_found
 |- PathNotFound                  404    not_found
 |- MethodNotAllowed              405    method_not_allowed
 |- BodyTooLarge                  413    request_too_large
 |- AnonymousDisabled             422    anonymous_provider_disabled
 |- UserAlreadyExists             422    user_already_exists
 |- EmailExists                   422    email_exists
 |- ManagedBySso                  422    user_sso_managed
 |- SamePassword                  422    same_password
 |- WeakPassword                  422    weak_password
 |- UnenrolAalRequired            422    insufficient_aal
 |- FactorNameConflict            422    mfa_factor_name_conflict
 |- TooManyFactors                422    too_many_enrolled_mfa_factors
 |- PhoneFactorsDisabled          422    mfa_phone_enroll_not_enabled
 |- WebauthnFactorsDisabled       422    mfa_webauthn_enroll_not_enabled
 |- ChallengeNotFound             422    mfa_factor_not_found
 |- ChallengeUsed                 422    mfa_ip_address_mismatch
 |- ChallengeExpired              422    mfa_challenge_expired
 |- WrongCode                     422    mfa_verification_failed
 |- TooManyCodes                  429    over_request_rate_limit
 |- UnexpectedFailure             500    unexpected_failure
 |- HookFailed                    500    unexpected_failure (or the hook's own status)

The docstring of a class is its message; the clients switch on the code.
"""

from __future__ import annotations

from collections.abc import Sequence


class AuthError(Exception):
    """The request failed."""

    status: int
    code: str

    def __init_subclass__(cls, *, status: int, code: str) -> None:
        cls.status, cls.code = status, code

    def __init__(self, message: str | None = None) -> None:
        self.message = message or str(type(self).__doc__)
        super().__init__(self.message)


class BadJson(AuthError, status=400, code="bad_json"):
    """Could not parse request body as JSON"""


class ValidationFailed(AuthError, status=400, code="validation_failed"):
    """The request has a value that cannot be used"""


class InvalidCredentials(AuthError, status=400, code="invalid_credentials"):
    """Invalid login credentials"""


class UnsupportedGrant(AuthError, status=400, code="invalid_credentials"):
    """unsupported_grant_type"""


class UserBanned(AuthError, status=400, code="user_banned"):
    """User is banned"""


class RefreshTokenNotFound(AuthError, status=400, code="refresh_token_not_found"):
    """Invalid Refresh Token: Refresh Token Not Found"""


class RefreshTokenAlreadyUsed(AuthError, status=400, code="refresh_token_already_used"):
    """Invalid Refresh Token: Already Used"""


class SessionExpired(AuthError, status=400, code="session_expired"):
    """Invalid Refresh Token: Session Expired"""


class PhoneDisabled(AuthError, status=400, code="phone_provider_disabled"):
    """Phone logins and signups are disabled"""


class NoAuthorization(AuthError, status=401, code="no_authorization"):
    """This endpoint requires a valid Bearer token"""


class AccountAalRequired(AuthError, status=401, code="insufficient_aal"):
    """AAL2 session is required to update email or password when MFA is enabled."""


class EnrolAalRequired(AuthError, status=403, code="insufficient_aal"):
    """AAL2 required to enroll a new factor"""


class BadJwt(AuthError, status=403, code="bad_jwt"):
    """invalid JWT: unable to parse or verify signature"""


class BearerBanned(AuthError, status=403, code="user_banned"):
    """User is banned"""


class UserNotFound(AuthError, status=403, code="user_not_found"):
    """User from sub claim in JWT does not exist"""


class SessionNotFound(AuthError, status=403, code="session_not_found"):
    """Session from session_id claim in JWT does not exist"""


class FactorIdInvalid(AuthError, status=404, code="validation_failed"):
    """factor_id must be an UUID"""


class FactorNotFound(AuthError, status=404, code="mfa_factor_not_found"):
    """Factor not found"""


class PathNotFound(AuthError, status=404, code="not_found"):
    """404 page not found"""


class MethodNotAllowed(AuthError, status=405, code="method_not_allowed"):
    """405 method not allowed"""


class BodyTooLarge(AuthError, status=413, code="request_too_large"):
    """The request body is too large"""


class AnonymousDisabled(AuthError, status=422, code="anonymous_provider_disabled"):
    """Anonymous sign-ins are disabled"""


class UserAlreadyExists(AuthError, status=422, code="user_already_exists"):
    """User already registered"""


class EmailExists(AuthError, status=422, code="email_exists"):
    """A user with this email address has already been registered"""


class ManagedBySso(AuthError, status=422, code="user_sso_managed"):
    """Updating email, phone, password of a SSO account only possible via SSO"""


class SamePassword(AuthError, status=422, code="same_password"):
    """New password should be different from the old password."""


class WeakPassword(AuthError, status=422, code="weak_password"):
    """The password is too weak"""

    def __init__(self, message: str, reasons: Sequence[str]) -> None:
        super().__init__(message)
        self.reasons = list(reasons)


class UnenrolAalRequired(AuthError, status=422, code="insufficient_aal"):
    """AAL2 required to unenroll verified factor"""


class FactorNameConflict(AuthError, status=422, code="mfa_factor_name_conflict"):
    """A factor with the friendly name for this user already exists"""


class TooManyFactors(AuthError, status=422, code="too_many_enrolled_mfa_factors"):
    """Maximum number of verified factors reached, unenroll to continue"""


class PhoneFactorsDisabled(AuthError, status=422, code="mfa_phone_enroll_not_enabled"):
    """MFA enroll is disabled for Phone"""


class WebauthnFactorsDisabled(AuthError, status=422, code="mfa_webauthn_enroll_not_enabled"):
    """MFA enroll is disabled for WebAuthn"""


class ChallengeNotFound(AuthError, status=422, code="mfa_factor_not_found"):
    """MFA factor with the provided challenge ID not found"""


class ChallengeUsed(AuthError, status=422, code="mfa_ip_address_mismatch"):
    """Challenge and verify IP addresses mismatch."""


class ChallengeExpired(AuthError, status=422, code="mfa_challenge_expired"):
    """MFA challenge has expired, verify against another challenge or create a new challenge."""


class WrongCode(AuthError, status=422, code="mfa_verification_failed"):
    """Invalid TOTP code entered"""


class TooManyCodes(AuthError, status=429, code="over_request_rate_limit"):
    """Request rate limit reached"""


class UnexpectedFailure(AuthError, status=500, code="unexpected_failure"):
    """Unexpected failure, please check server logs for more information"""


class HookFailed(AuthError, status=500, code="unexpected_failure"):
    """error generating jwt token"""

    def __init__(self, message: str | None = None, status: int = 500) -> None:
        super().__init__(message)
        if status != 500:
            self.status, self.code = status, "unknown"
