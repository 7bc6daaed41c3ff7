#include "jobspec/mask.h"

#include <algorithm>

#include "jobspec/json_path.h"
#include "jobspec/secrets.h"
#include "transport/base/secret.h"

namespace sluice {

using nlohmann::json;

namespace {

class masker {
 public:
  explicit masker(const std::vector<described_part>& parts) : parts_(parts) {}

  void walk(json& value, const std::string& path, const std::vector<option>* options) {
    if (value.is_string()) {
      auto& text = value.get_ref<std::string&>();
      if (std::string shown = mask_addresses(text); shown != text) {
        text = std::move(shown);
        hidden_.push_back(path);
      }
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        walk(value[i], path_join(path, i), options);
      }
    } else if (value.is_object()) {
      for (const auto& part : parts_) {
        options = part.path == path ? part.options : options;
      }
      for (auto& [key, inner] : value.items()) {
        const option* o = options == nullptr ? nullptr : option_named(*options, key);
        const std::string here = path_join(path, key);
        if (is_secret_key(o, key) ||
            (o == nullptr && options != nullptr && is_slip_of_secret(*options, key))) {
          hide(inner, here);
        } else {
          walk(inner, here, o == nullptr ? nullptr : &o->members);
        }
      }
    }
  }

  std::vector<std::string> take() { return std::move(hidden_); }

 private:
  void hide(json& value, const std::string& path) {
    if (value.is_object() || value.is_array()) {
      note_texts(value, path);
    }
    // What is not set is no secret, and seeing that it is not set helps.
    const auto* text = value.get_ptr<const json::string_t*>();
    if (!value.is_null() && (text == nullptr || !text->empty())) {
      // Which variable or file a secret comes from is none.
      const auto written = secret_text::parse(text != nullptr ? *text : "", "");
      value = written && !written->has_plain() ? written->shown() : std::string(secret_mask);
      hidden_.push_back(path);
    }
  }

  void note_texts(const json& value, const std::string& path) {
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        note_texts(value[i], path_join(path, i));
      }
    } else if (value.is_object()) {
      for (const auto& [key, inner] : value.items()) {
        note_texts(inner, path_join(path, key));
      }
    } else {
      hidden_.push_back(path);
    }
  }

  const std::vector<described_part>& parts_;
  std::vector<std::string> hidden_;
};

}  // namespace

bool is_secret_key(const option* described, std::string_view key) {
  return (described != nullptr && described->secret) || looks_secret(key);
}

std::vector<std::string> mask_secrets(json& document, const std::vector<described_part>& parts) {
  masker work(parts);
  work.walk(document, "", nullptr);
  return work.take();
}

}  // namespace sluice
