//! Who asks, and why somebody is not let in.

use std::sync::Arc;

use crate::domain::message::Refusal;

/// A caller that is known. It stands in the extensions of each of its requests; where nobody is
/// asked who he is, and for what is open to everybody, there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its name: as the callers file says it, or the `sub` of a JWT.
    pub name: Arc<str>,
}

/// Why a request is not answered. It never holds what was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwelcome {
    /// The caller does not say who it is.
    Missing,
    /// It says so, and is not believed.
    Invalid(Disbelieved),
    /// It may not do this.
    RoleMissing {
        /// What it would need.
        role: &'static str,
    },
    /// There is no such method, so nobody may call it.
    MethodUnknown,
}

/// What is wrong with what a caller shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disbelieved {
    /// More than one `authorization`.
    Several,
    /// `authorization` is not `Bearer` and a token.
    NotBearer,
    /// No such API token, or no longer.
    TokenUnknown,
    /// No name of the certificate is listed.
    CertificateUnknown,
    /// Names of the certificate are listed for different callers.
    CertificateAmbiguous,
    /// Certificate and token are of different callers.
    Contradictory,
    /// No JWT is believed here.
    JwtUnwanted,
    /// It is no JWT, or has an algorithm or header that is never believed.
    JwtUnreadable,
    /// It is signed by no known key.
    JwtKeyUnknown,
    /// Its algorithm is not one of its key.
    JwtAlgorithm,
    /// Its signature is not of its key.
    JwtSignature,
    /// It is of another issuer, or of none.
    JwtIssuer,
    /// It is for somebody else, or for nobody.
    JwtAudience,
    /// It has expired.
    JwtExpired,
    /// Its time has not come.
    JwtEarly,
    /// It says not until when it is good.
    JwtEndless,
    /// It names nobody.
    JwtSubject,
}

impl Disbelieved {
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Several => (
                "there is more than one `authorization`; send one",
                "有多个authorization；只发送一个",
            ),
            Self::NotBearer => (
                "`authorization` is not `Bearer` and a token",
                "authorization 不是 `Bearer` 加令牌",
            ),
            Self::TokenUnknown => (
                "the token is not known, or is known no more; ask the operator for another",
                "令牌未知或已撤销；请向运行方申请新令牌",
            ),
            Self::CertificateUnknown => (
                "no name of the client certificate is known here; ask the operator to list it",
                "客户端证书中的名称均未登记；请联系运行方登记",
            ),
            Self::CertificateAmbiguous => (
                "names of the client certificate belong to different callers",
                "客户端证书中的名称属于不同的调用方",
            ),
            Self::Contradictory => (
                "client certificate and token belong to different callers; show one of them, or both of one caller",
                "客户端证书与令牌属于不同的调用方；请只出示其一，或出示同一调用方的两者",
            ),
            Self::JwtUnwanted => (
                "what is shown is no API token of this service, and it believes no other",
                "所出示的不是本服务的API令牌，而本服务不接受其他令牌",
            ),
            Self::JwtUnreadable => (
                "the token is no JWT with an algorithm that is believed",
                "令牌不是使用可接受算法的JWT",
            ),
            Self::JwtKeyUnknown => {
                ("the JWT is signed by no key that is known here", "JWT的签名密钥未知")
            }
            Self::JwtAlgorithm => {
                ("the JWT's algorithm is not one of its key", "JWT的算法与其密钥不符")
            }
            Self::JwtSignature => ("the JWT's signature is wrong", "JWT签名错误"),
            Self::JwtIssuer => {
                ("the JWT is of another issuer, or names none", "JWT的签发者不符或缺失")
            }
            Self::JwtAudience => {
                ("the JWT is for another audience, or names none", "JWT的受众不符或缺失")
            }
            Self::JwtExpired => ("the JWT has expired; get a new one", "JWT已过期；请获取新令牌"),
            Self::JwtEarly => ("the JWT is not good yet", "JWT尚未生效"),
            Self::JwtEndless => (
                "the JWT does not say until when it is good, in whole seconds",
                "JWT没有以整秒写明有效期",
            ),
            Self::JwtSubject => (
                "the JWT's `sub` is not 1 to 128 visible ASCII characters",
                "JWT的sub不是1至128个可见ASCII字符",
            ),
        }
    }
}

impl Refusal for Unwelcome {
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "CREDENTIAL_MISSING",
            Self::Invalid(Disbelieved::JwtExpired) => "CREDENTIAL_EXPIRED",
            Self::Invalid(Disbelieved::Contradictory) => "CREDENTIAL_CONTRADICTORY",
            Self::Invalid(_) => "CREDENTIAL_INVALID",
            Self::RoleMissing { .. } => "ROLE_MISSING",
            Self::MethodUnknown => "METHOD_UNKNOWN",
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Missing => {
                "who asks? Show a client certificate, or send `authorization: Bearer` and a token"
                    .into()
            }
            Self::Invalid(disbelieved) => disbelieved.texts().0.into(),
            Self::RoleMissing { role } => {
                format!("this needs the role `{role}`; ask the operator for it")
            }
            Self::MethodUnknown => "there is no such method".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Missing => {
                "未表明身份；请出示客户端证书，或发送 `authorization: Bearer` 加令牌".into()
            }
            Self::Invalid(disbelieved) => disbelieved.texts().1.into(),
            Self::RoleMissing { role } => format!("需要角色 `{role}`；请向运行方申请"),
            Self::MethodUnknown => "没有该方法".into(),
        }
    }
}
