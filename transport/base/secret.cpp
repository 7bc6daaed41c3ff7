#include "transport/base/secret.h"

#include <algorithm>
#include <array>
#include <optional>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// A command may have spaces and an argument that is long; a message has not.
constexpr std::size_t reference_shown_bytes_max = 120;

struct origin_name {
  secret_origin origin;
  std::string_view prefix;
};
constexpr std::array<origin_name, 3> origin_names = {
    {{secret_origin::env, "${env:"}, {secret_origin::file, "${file:"}, {secret_origin::cmd, "${cmd:"}}};

/// The kind of the reference that `text` begins with.
const origin_name* origin_at(std::string_view text) {
  const auto* at = std::find_if(origin_names.begin(), origin_names.end(),
                                [&](const origin_name& one) { return text.starts_with(one.prefix); });
  return at == origin_names.end() ? nullptr : at;
}

/// Where the brace that closes the reference at the text's beginning stands; npos where it is missing.
std::size_t closing_brace(std::string_view text) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') {
      ++open;
    } else if (text[i] == '}' && --open == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

secret::secret(std::string_view text) : bytes_(new char[text.size() + 1]), size_(text.size()) {
  std::copy(text.begin(), text.end(), bytes_.get());
  bytes_[size_] = '\0';
}

secret::secret(secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

secret& secret::operator=(secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

secret::~secret() {
  wipe();
}

void secret::wipe() {
  // Volatile: a compiler leaves out writes to memory that is freed next.
  volatile char* at = bytes_.get();
  for (std::size_t i = 0; i < size_; ++i) {
    at[i] = '\0';
  }
}

struct secret_text::contents {
  std::vector<secret_part> parts;
};

result<secret_text> secret_text::parse(std::string_view written, std::string place, std::string folder) {
  auto found = std::make_shared<contents>();
  std::string plain;
  const auto end_plain = [&] {
    if (!plain.empty()) {
      found->parts.push_back({secret_origin::plain, std::move(plain)});
      plain.clear();
    }
  };
  while (!written.empty()) {
    if (written.starts_with('$') && origin_at(written.substr(1)) != nullptr) {
      plain += '$';
      plain += '{';
      written.remove_prefix(3);
      continue;
    }
    const origin_name* origin = origin_at(written);
    if (origin == nullptr) {
      plain += written.front();
      written.remove_prefix(1);
      continue;
    }
    const std::size_t close = closing_brace(written);
    const std::string_view kind = origin->prefix;
    if (close == std::string_view::npos) {
      // What follows is not shown: it may be clear text.
      return fail(error_kind::bad_option, "{}: the reference {}…}} has no closing brace", place, kind);
    }
    const std::string_view name = without_blanks(written.substr(kind.size(), close - kind.size()));
    if (name.empty()) {
      return fail(error_kind::bad_option, "{}: the reference {}}} names nothing; expected {}", place, kind,
                  origin->origin == secret_origin::env    ? "the name of an environment variable"
                  : origin->origin == secret_origin::file ? "the path of a file"
                                                          : "a command");
    }
    end_plain();
    found->parts.push_back({origin->origin, std::string(name)});
    written.remove_prefix(close + 1);
  }
  end_plain();
  secret_text out;
  out.contents_ = std::move(found);
  out.place_ = std::move(place);
  out.folder_ = std::move(folder);
  return out;
}

const std::vector<secret_part>& secret_text::parts() const {
  static const std::vector<secret_part> none;
  return contents_ ? contents_->parts : none;
}

bool secret_text::has_plain() const {
  return std::any_of(parts().begin(), parts().end(),
                     [](const secret_part& part) { return part.origin == secret_origin::plain; });
}

std::string secret_text::shown() const {
  return parts().size() == 1 ? shown_reference(parts().front()) : "***";
}

std::string shown_reference(const secret_part& part) {
  if (part.origin == secret_origin::plain) {
    return "***";
  }
  const auto* name = std::find_if(origin_names.begin(), origin_names.end(),
                                  [&](const origin_name& one) { return one.origin == part.origin; });
  if (part.origin != secret_origin::cmd) {
    return fmt::format("{}{}}}", name->prefix, escaped(part.text, reference_shown_bytes_max));
  }
  const std::size_t end = std::min(part.text.find_first_of(" \t\n"), part.text.size());
  // `TOKEN=abc vault …` begins with a value.
  const std::string_view word =
      part.text.find('=') < end ? std::string_view() : std::string_view(part.text).substr(0, end);
  return fmt::format("{}{}{}}}", name->prefix, escaped(word, reference_shown_bytes_max),
                     word.empty()             ? "…"
                     : end < part.text.size() ? " …"
                                              : "");
}

std::size_t secret_reference_end(std::string_view text, std::size_t dollar) {
  const std::string_view rest = text.substr(std::min(dollar, text.size()));
  if (rest.starts_with('$') && origin_at(rest.substr(1)) != nullptr) {
    return dollar + 3;
  }
  if (origin_at(rest) == nullptr) {
    return std::string_view::npos;
  }
  const std::size_t close = closing_brace(rest);
  return close == std::string_view::npos ? text.size() : dollar + close + 1;
}

bool has_secret_reference(std::string_view text) {
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (origin_at(text.substr(at)) != nullptr) {
      return true;
    }
  }
  return false;
}

}  // namespace sluice
