#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "jobspec/words.h"
#include "plugins/common/relational/url_properties.h"
#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

enum class store { jks, pkcs12, der_key, der };

struct store_ending {
  std::string_view ending;
  store kind;
};
constexpr auto endings = std::to_array<store_ending>({{".jks", store::jks},
                                                      {".keystore", store::jks},
                                                      {".truststore", store::jks},
                                                      {".ks", store::jks},
                                                      {".ts", store::jks},
                                                      {".p12", store::pkcs12},
                                                      {".pfx", store::pkcs12},
                                                      {".pkcs12", store::pkcs12},
                                                      {".pk8", store::der_key},
                                                      {".der", store::der}});

std::string in_single_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string why_not(store kind, std::string_view file, bool with_key) {
  const std::string from = in_single_quotes(file);
  const std::string stem(file.substr(0, std::min(file.rfind('.'), file.size())));
  const std::string pem = in_single_quotes(stem + ".pem");
  std::string command;
  switch (kind) {
    case store::jks:
      command = with_key ? fmt::format(
                               "keytool -importkeystore -srckeystore {0} -destkeystore {1} "
                               "-deststoretype PKCS12 && openssl pkcs12 -in {1} -out {2}",
                               from, in_single_quotes(stem + ".p12"), pem)
                         : fmt::format("keytool -list -rfc -keystore {} > {}", from, pem);
      break;
    case store::pkcs12:
      command = fmt::format("openssl pkcs12 -in {}{} -out {}", from, with_key ? "" : " -nokeys", pem);
      break;
    case store::der_key:
      command = fmt::format("openssl pkcs8 -inform DER -in {} -out {}", from, pem);
      break;
    case store::der:
      command = fmt::format("openssl x509 -inform DER -in {} -out {}", from, pem);
      break;
  }
  const std::string_view what = kind == store::jks      ? "a store of Java's"
                                : kind == store::pkcs12 ? "a PKCS #12 store"
                                                        : "a DER file";
  return fmt::format("found {}, {}; expected a PEM file, which this makes of it: {}", in_quotes(file), what,
                     command);
}

}  // namespace

std::optional<std::string> why_not_pem(std::string_view file, bool with_key) {
  const std::string name = lower(file);
  for (const store_ending& e : endings) {
    if (name.ends_with(e.ending)) {
      return why_not(e.kind, file, with_key);
    }
  }
  return std::nullopt;
}

result<void> check_pem_file(const std::string& file, std::string_view what, bool with_key,
                            const std::string& place) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::array<char, 4096> bytes{};
  if (!in || (in.read(bytes.data(), bytes.size()), in.gcount() == 0)) {
    const int code = errno;
    return fail(code == EACCES ? error_kind::denied : error_kind::bad_option, "{}: {} {}{}: {}", place, what,
                in_quotes(file), looked_in(file), code == 0 ? "the file is empty" : std::strerror(code));
  }
  const std::string_view begin(bytes.data(), static_cast<std::size_t>(in.gcount()));
  if (begin.starts_with("\xFE\xED\xFE\xED")) {
    return fail(error_kind::bad_option, "{}: {}: {}", place, what, why_not(store::jks, file, with_key));
  }
  // ASN.1: a sequence whose first member is a small number is a PKCS #12 store.
  if (begin.size() > 6 && begin[0] == '\x30' && begin[1] == '\x82') {
    return fail(error_kind::bad_option, "{}: {}: {}", place, what,
                why_not(begin.substr(4, 3) == std::string_view("\x02\x01\x03", 3) ? store::pkcs12
                        : with_key                                                ? store::der_key
                                                                                  : store::der,
                        file, with_key));
  }
  // A key's or certificate's comments may stand before it.
  if (begin.find("-----BEGIN ") == std::string_view::npos && begin.size() < bytes.size()) {
    return fail(error_kind::bad_option, "{}: {} {}: no \"-----BEGIN\" in it; expected a PEM file", place,
                what, in_quotes(file));
  }
  return {};
}

}  // namespace sluice::relational
