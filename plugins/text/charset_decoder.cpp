#include "plugins/text/charset_decoder.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <cstring>

#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr char invalid_marker = '\xFF';

/// Appends UTF-16 to UTF-8. A pair whose halves come in two calls is joined through `high`.
void append_utf8(const UChar* from, std::size_t size, UChar& high, std::string& to) {
  for (std::size_t i = 0; i < size; ++i) {
    unsigned c = from[i];
    if (c >= 0xD800 && c < 0xDC00) {
      high = from[i];
      continue;
    }
    if (c >= 0xDC00 && c < 0xE000) {
      c = 0x10000 + ((static_cast<unsigned>(high) - 0xD800) << 10) + (c - 0xDC00);
      high = 0;
    }
    if (c < 0x80) {
      to += static_cast<char>(c);
    } else if (c < 0x800) {
      to += static_cast<char>(0xC0 | c >> 6);
      to += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      to += static_cast<char>(0xE0 | c >> 12);
      to += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      to += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      to += static_cast<char>(0xF0 | c >> 18);
      to += static_cast<char>(0x80 | (c >> 12 & 0x3F));
      to += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      to += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
}

}  // namespace

struct charset_decoder::converter {
  UConverter* icu = nullptr;
  ~converter() { ucnv_close(icu); }

  /// Converts from `at` on and appends; `markers`: bytes that are no text become `invalid_marker`. False
  /// where there are such bytes and markers are not wanted.
  bool convert(const char*& at, const char* end, bool flush, bool markers, UChar& high,
               std::string& to) const {
    UChar pivot[1024] = {};
    for (;;) {
      UChar* written = pivot;
      UErrorCode code = U_ZERO_ERROR;
      ucnv_toUnicode(icu, &written, pivot + std::size(pivot), &at, end, nullptr, static_cast<UBool>(flush),
                     &code);
      append_utf8(pivot, static_cast<std::size_t>(written - pivot), high, to);
      if (code == U_BUFFER_OVERFLOW_ERROR) {
        continue;
      }
      if (U_SUCCESS(code)) {
        return true;
      }
      if (!markers) {
        return false;
      }
      to += invalid_marker;
      if (code == U_TRUNCATED_CHAR_FOUND) {
        return true;
      }
    }
  }
};

charset_decoder::charset_decoder(std::unique_ptr<converter> c, charset_handling handling)
    : converter_(std::move(c)), handling_(handling) {}
charset_decoder::charset_decoder(charset_decoder&&) noexcept = default;
charset_decoder& charset_decoder::operator=(charset_decoder&&) noexcept = default;
charset_decoder::~charset_decoder() = default;

namespace {

bool keeps_ascii(UConverter* icu) {
  for (int c = 0; c < 128; ++c) {
    const char byte = static_cast<char>(c);
    UChar unit[4];
    UErrorCode code = U_ZERO_ERROR;
    const auto length = ucnv_toUChars(icu, unit, 4, &byte, 1, &code);
    if (U_FAILURE(code) || length != 1 || unit[0] != c) {
      return false;
    }
  }
  return true;
}

charset_handling handling_of(UConverter* icu) {
  UErrorCode code = U_ZERO_ERROR;
  const std::string_view name = ucnv_getName(icu, &code);
  if (name == "UTF-8" || name == "US-ASCII") {
    return charset_handling::as_it_is;
  }
  const UConverterType type = ucnv_getType(icu);
  const bool stateless = type == UCNV_SBCS || type == UCNV_DBCS || type == UCNV_MBCS || type == UCNV_LATIN_1;
  return stateless && keeps_ascii(icu) ? charset_handling::by_field : charset_handling::whole;
}

}  // namespace

result<charset_decoder> charset_decoder::find(const std::string& name) {
  UErrorCode code = U_ZERO_ERROR;
  auto c = std::make_unique<converter>();
  c->icu = name.empty() ? nullptr : ucnv_open(name.c_str(), &code);
  if (c->icu == nullptr || U_FAILURE(code)) {
    return fail(
        error_kind::bad_option,
        "No encoding has the name {}; write one such as \"UTF-8\", \"GBK\", \"UTF-16LE\" or \"ISO-8859-1\".",
        in_quotes(name));
  }
  ucnv_setToUCallBack(c->icu, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &code);
  const charset_handling handling = handling_of(c->icu);
  ucnv_resetToUnicode(c->icu);
  charset_decoder decoder(std::move(c), handling);
  UConverter* icu = decoder.converter_->icu;
  const std::string_view canonical = ucnv_getName(icu, &code);
  // The EUC encodings have no byte below 0x80 in a character of more than one byte.
  if (handling == charset_handling::by_field && ucnv_getType(icu) == UCNV_MBCS &&
      canonical.find("euc") == std::string_view::npos && canonical.find("EUC") == std::string_view::npos) {
    UBool starters[256] = {};
    ucnv_getStarters(icu, starters, &code);
    for (unsigned i = 0x80; U_SUCCESS(code) && i < 256; ++i) {
      decoder.lead_bytes_[i] = starters[i] != 0;
    }
  }
  return decoder;
}

bool charset_decoder::decode(std::string_view bytes, std::string& to) {
  to.clear();
  ucnv_resetToUnicode(converter_->icu);
  const char* at = bytes.data();
  UChar high = 0;
  return converter_->convert(at, at + bytes.size(), true, false, high, to);
}

class decoding_input final : public input_stream {
 public:
  decoding_input(charset_decoder decoder, std::unique_ptr<input_stream> bytes)
      : decoder_(std::move(decoder)), bytes_(std::move(bytes)), block_(std::size_t{64} << 10, '\0') {}

  result<std::size_t> read(char* to, std::size_t size) override {
    while (given_ == text_.size() && !ended_) {
      SLUICE_TRY(const std::size_t got, bytes_->read(block_.data(), block_.size()));
      ended_ = got == 0;
      text_.clear();
      given_ = 0;
      const char* at = block_.data();
      decoder_.converter_->convert(at, at + got, ended_, true, high_, text_);
    }
    const std::size_t count = std::min(size, text_.size() - given_);
    std::memcpy(to, text_.data() + given_, count);
    given_ += count;
    return count;
  }
  [[nodiscard]] std::uint64_t source_bytes() const override { return bytes_->source_bytes(); }

 private:
  charset_decoder decoder_;
  std::unique_ptr<input_stream> bytes_;
  std::string block_;
  std::string text_;
  std::size_t given_ = 0;
  UChar high_ = 0;
  bool ended_ = false;
};

std::unique_ptr<input_stream> charset_decoder::decoding_stream(charset_decoder decoder,
                                                               std::unique_ptr<input_stream> bytes) {
  ucnv_resetToUnicode(decoder.converter_->icu);
  return std::make_unique<decoding_input>(std::move(decoder), std::move(bytes));
}

}  // namespace sluice
