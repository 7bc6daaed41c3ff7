#include "plugins/common/output/text_encoder.h"

#include <fmt/format.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/ustring.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice {
namespace {

UConverter* open_strict(const std::string& encoding) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(encoding.c_str(), &status);
  if (U_SUCCESS(status)) {
    ucnv_setFromUCallBack(converter, UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    ucnv_setFallback(converter, false);
  }
  if (U_FAILURE(status)) {
    ucnv_close(converter);
    return nullptr;
  }
  return converter;
}

}  // namespace

result<std::unique_ptr<text_encoder>> text_encoder::make(const std::string& encoding) {
  if (ucnv_compareNames(encoding.c_str(), "UTF-8") == 0) {
    return nullptr;
  }
  UConverter* out = open_strict(encoding);
  UConverter* probe = out == nullptr ? nullptr : open_strict(encoding);
  if (probe == nullptr) {
    ucnv_close(out);
    return fail(error_kind::bad_option,
                "The encoding {} is not known; write a name such as UTF-8, GBK or ISO-8859-1.",
                in_quotes(encoding));
  }
  return std::unique_ptr<text_encoder>(new text_encoder(out, probe));
}

text_encoder::~text_encoder() {
  ucnv_close(out_);
  ucnv_close(probe_);
}

void text_encoder::restart() {
  ucnv_resetFromUnicode(out_);
}

void text_encoder::begin_behind_start() {
  ucnv_resetFromUnicode(out_);
  std::string passed_over;
  (void)append("\n", passed_over);
}

bool text_encoder::is_stateless(const std::string& encoding) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* const converter = ucnv_open(encoding.c_str(), &status);
  if (converter == nullptr) {
    return true;  // there is no such encoding, which `make` tells
  }
  const UConverterType type = ucnv_getType(converter);
  ucnv_close(converter);
  switch (type) {
    case UCNV_ISO_2022:
    case UCNV_HZ:
    case UCNV_SCSU:
    case UCNV_UTF7:
    case UCNV_BOCU1:
    case UCNV_IMAP_MAILBOX:
    case UCNV_EBCDIC_STATEFUL:
    case UCNV_ISCII:
    case UCNV_COMPOUND_TEXT:
    case UCNV_LMBCS_1:
      return false;
    default:
      return type < UCNV_LMBCS_1 || type > UCNV_LMBCS_LAST;
  }
}

bool text_encoder::append(std::string_view utf8, std::string& to) {
  utf16_.resize(utf8.size());
  std::int32_t units = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strFromUTF8(utf16_.data(), static_cast<std::int32_t>(utf16_.size()), &units, utf8.data(),
                static_cast<std::int32_t>(utf8.size()), &status);
  if (U_FAILURE(status)) {
    return false;
  }
  utf16_.resize(static_cast<std::size_t>(units));
  ucnv_resetFromUnicode(probe_);
  tried_.clear();
  return convert(probe_, utf8, tried_) && convert(out_, utf8, to);
}

bool text_encoder::convert(UConverter* converter, std::string_view utf8, std::string& to) {
  const char16_t* from = utf16_.data();
  const char16_t* const end = from + utf16_.size();
  for (;;) {
    const std::size_t before = to.size();
    to.resize(before + std::max<std::size_t>(64, utf8.size() + utf8.size() / 2));
    char* at = to.data() + before;
    UErrorCode status = U_ZERO_ERROR;
    ucnv_fromUnicode(converter, &at, to.data() + to.size(), &from, end, nullptr, false, &status);
    to.resize(static_cast<std::size_t>(at - to.data()));
    if (status != U_BUFFER_OVERFLOW_ERROR) {
      return U_SUCCESS(status);
    }
  }
}

}  // namespace sluice
