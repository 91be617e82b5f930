//! What is planted: each text is nowhere else in the program or its world.

/// Where callers come from.
pub const CALLER: &str = "127.9.8.7";

/// Who signs in.
pub const LOGIN: &str = "liselotte.plantedlogin@sender.example";
/// His password.
pub const PASSWORD: &str = "Plantedpass horse battery staple";
/// A password that is refused, since the login is taken.
pub const OTHER_PASSWORD: &str = "Plantedother horse battery staple";
/// A password that is too short.
pub const SHORT_PASSWORD: &str = "Plantedpw";
/// The token of the metrics.
pub const METRICS_TOKEN: &str = "plantedmetrics-open-sesame-token";
/// No key, but somebody might think that it is one.
pub const NO_KEY: &str = "spk_live_PlantedNoKeyAtAllPlantedNoKey123456";
/// What stands in the content alone.
pub const CONTENT: [&str; 7] = [
    "plantedtextbody illness",
    "plantedhtmlbody illness",
    "plantedfilename.pdf",
    "plantedattachment of a hospital",
    "plantedheadervalue",
    "plantedrecipientname",
    "plantedfromname",
];

/// The local parts of the recipients. What the receiver does with each stands at its beginning.
pub const RECIPIENTS: [&str; 7] = [
    "yes.plantedaccepted",
    "hard.plantedunknown",
    "soft.plantedgreylisted",
    "odd.plantedgarbled",
    "yes.plantedmanydots.illness.in.a.local.part.that.is.quite.long",
    "yes.plantedunsigned",
    "yes.plantedrepeat",
];

/// Everything else that says something about people.
pub const PERSONAL: [&str; 23] = [
    CALLER,
    LOGIN,
    "liselotte.plantedlogin",
    "plantedsubject about a rare illness",
    "plantedümlaut für Grüße",
    "plantedtag",
    "plantedmetaname",
    "plantedmetavalue",
    "plantedlabel",
    "plantedreason",
    "plantedaccountname",
    "planted-idempotency-key",
    "plantedagent/7",
    "plantedbad address@@",
    "plantedquery",
    "plantedpath",
    "plantedreferrer",
    "plantedgarbage",
    "plantedcookie",
    "plantedforwarded",
    "plantedstranger@nobody.example",
    "plantedsearch",
    "plantedsubaccount",
];
