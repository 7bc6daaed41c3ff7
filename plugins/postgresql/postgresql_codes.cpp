#include "plugins/postgresql/postgresql_codes.h"

#include <algorithm>
#include <array>

namespace sluice::postgresql {
namespace {

/// Codes before their classes: the first row that fits decides.
constexpr auto meanings = std::to_array<code_meaning>({
    {"08", error_kind::not_connected},
    {"0A", error_kind::not_supported},
    {"21", error_kind::bad_row},
    {"22P04", error_kind::internal},  // bad_copy_file_format: what we sent
    {"22", error_kind::bad_row},
    {"23", error_kind::bad_row},
    {"25006", error_kind::denied,
     "the server, or the account by default, is read-only; name the primary, or an account that may write"},
    {"25P03", error_kind::not_connected},
    {"25P04", error_kind::not_connected},
    {"25", error_kind::internal},
    {"28P01", error_kind::denied, "correct user name or password"},
    {"28000", error_kind::denied,
     "see that the user exists and may log in, and that pg_hba.conf lets it in from here (with TLS or "
     "without)"},
    {"28", error_kind::denied, "correct user name or password"},
    {"3D000", error_kind::bad_option, "correct the database's name behind the \"/\" of the address"},
    {"3F000", error_kind::bad_option, "correct the schema's name"},
    {"38", error_kind::bad_row},
    {"39", error_kind::bad_row},
    {"40", error_kind::busy},
    {"42501", error_kind::denied, "grant the right to this user"},
    {"42P01", error_kind::bad_option, "correct the table's name"},
    {"42703", error_kind::bad_option, "correct the column's name"},
    {"42", error_kind::bad_option},
    {"44", error_kind::bad_row},
    {"53100", error_kind::no_room, "make room on the server's disk, then run the job again"},
    {"53200", error_kind::no_room, "the server is out of memory; lower what it runs at a time"},
    {"53300", error_kind::busy, "lower \"concurrent\", or raise the server's max_connections"},
    {"53", error_kind::no_room},
    {"54", error_kind::bad_row},  // program limits: an index's row or a row that is too wide
    {"55000", error_kind::bad_option},
    {"55P03", error_kind::busy, "another session holds a lock on the table"},
    {"55", error_kind::busy},
    {"57014", error_kind::busy,  // where it is not ours
     "if it took too long, raise statement_timeout, or set it to 0, which is none, where the job sets it: in "
     "\"session\", or as \"statementTimeout\" or in \"options\" of \"jdbcUrl\" or \"properties\"; without "
     "any, "
     "somebody cancelled it (pg_cancel_backend)"},
    {"57P", error_kind::not_connected},
    {"58P01", error_kind::bad_option, "correct the path of the file, which is the server's"},
    {"58", error_kind::no_room, "the server's system failed it; see the server's log"},
    {"72000", error_kind::source_changed},  // snapshot too old
    {"P0", error_kind::bad_row},            // RAISE of a trigger
    {"XX", error_kind::source_changed},
});

constexpr auto connect_meanings = std::to_array<code_meaning>({
    {"server does not support SSL", error_kind::denied, "turn TLS on at the server, or do not ask for it"},
    {"certificate verify failed", error_kind::denied,
     "the server's certificate is not of an authority that is trusted here; name its authority's PEM file "
     "with \"truststoreFile\", or with sslrootcert in the address"},
    {"does not match host name", error_kind::denied,
     "the server's certificate is made out to another name; name the host as the certificate does"},
    {"expected authentication request from server", error_kind::not_connected,
     "what answers there is no PostgreSQL; see that host and port are those of a PostgreSQL server (MySQL "
     "and "
     "MariaDB, at 3306 as a rule, are the stepType \"mysql\")"},
    {"received invalid response to SSL negotiation", error_kind::not_connected,
     "what answers there is no PostgreSQL; see that host and port are those of a PostgreSQL server (MySQL "
     "and "
     "MariaDB, at 3306 as a rule, are the stepType \"mysql\")"},
    {"alert protocol version", error_kind::denied, "the server speaks only versions of TLS that are too old"},
    {"unsupported protocol", error_kind::denied, "the server speaks only versions of TLS that are too old"},
    {"wrong version number", error_kind::denied, "the server speaks only versions of TLS that are too old"},
    {"SSL error", error_kind::denied, "see the server's TLS settings"},
    {"root certificate file", error_kind::bad_option,
     "correct the path of the authority's PEM file (\"truststoreFile\", or sslrootcert in the address)"},
    {"certificate file", error_kind::bad_option, "correct the path of the client's certificate"},
    {"private key file", error_kind::bad_option,
     "the key must be readable for this user only (chmod 600), and belong to the certificate"},
    {"no password supplied", error_kind::denied, "set \"password\""},
    {"authentication method", error_kind::not_supported, ""},
    {"session is not read-only", error_kind::not_connected, ""},
    {"session is read-only", error_kind::not_connected, ""},
    {"server is in hot standby mode", error_kind::not_connected,
     "the primary is asked for (targetServerType); name it"},
    {"server is not in hot standby mode", error_kind::not_connected,
     "a replica is asked for (useReadOnly, targetServerType); name one, or let the primary be read "
     "(\"canReadPrimary\": true)"},
    {"Connection refused", error_kind::not_connected,
     "see that the server runs and listens on this host and port"},
});

bool is_code_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

}  // namespace

code_meaning meaning_of(std::string_view sqlstate) {
  for (const code_meaning& m : meanings) {
    if (sqlstate.starts_with(m.code)) {
      return m;
    }
  }
  return {sqlstate, error_kind::internal, ""};
}

std::string_view sqlstate_in(std::string_view message) {
  constexpr std::size_t code_length = 5;
  for (std::size_t colon = message.find(':'); colon != std::string_view::npos;
       colon = message.find(':', colon + 1)) {
    std::size_t at = colon + 1;
    while (at < message.size() && message[at] == ' ') {
      ++at;
    }
    const std::string_view code = message.substr(at, code_length);
    if (at > colon + 1 && code.size() == code_length &&
        std::all_of(code.begin(), code.end(), is_code_character) &&
        message.substr(at + code_length).starts_with(": ")) {
      return code;
    }
  }
  return {};
}

code_meaning meaning_of_connect_failure(std::string_view message) {
  for (const code_meaning& m : connect_meanings) {
    if (message.find(m.code) != std::string_view::npos) {
      return m;
    }
  }
  return {"", error_kind::not_connected, ""};
}

}  // namespace sluice::postgresql
