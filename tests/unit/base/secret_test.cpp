#include "transport/base/secret.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "transport/base/secret_resolver.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <class T>
concept streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <class A, class B>
concept comparable = requires(const A& a, const B& b) {
  a == b;
};

static_assert(!fmt::is_formattable<secret>::value && !fmt::is_formattable<secret_text>::value);
static_assert(!streamable<secret> && !streamable<secret_text>);
static_assert(streamable<std::string>, "the concept can see a stream operator");
static_assert(!comparable<secret, std::string> && !comparable<secret, secret>);
static_assert(!comparable<secret_text, std::string> && !comparable<secret_text, secret_text>);
static_assert(!std::is_convertible_v<secret, std::string> &&
              !std::is_convertible_v<secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, secret>, "a text becomes a secret on purpose only");
static_assert(!std::is_copy_constructible_v<secret>);

/// A resolver with its surroundings, and what it told.
struct secrets : ::testing::Test {
  std::filesystem::path folder;
  std::map<std::string, std::string> variables;
  std::vector<std::string> found, warnings;
  std::unique_ptr<secret_resolver> resolver;

  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sluice secret ü XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    make(std::chrono::seconds(30));
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void make(std::chrono::milliseconds command_timeout) {
    resolver = std::make_unique<secret_resolver>(secret_resolver::surroundings{
        [this](const char* variable) -> std::optional<std::string> {
          const auto at = variables.find(variable);
          return at == variables.end() ? std::nullopt : std::optional(at->second);
        },
        [this](std::string_view value) { found.emplace_back(value); }, [](std::string text) { return text; },
        [this](std::string line) { warnings.push_back(std::move(line)); }, command_timeout});
  }
  void write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    std::ofstream(folder / name, std::ios::binary) << text;
    ::chmod((folder / name).c_str(), mode);
  }
  [[nodiscard]] secret_text parsed(std::string_view written) const {
    auto answer = secret_text::parse(written, "job.json:3:5 password", folder.string());
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : secret_text();
  }
  [[nodiscard]] std::string value(std::string_view written) const {
    auto answer = resolver->resolve(parsed(written), {});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::string(answer->reveal()) : "";
  }
  [[nodiscard]] error failure(std::string_view written, const stop_signal& stop = {}) const {
    auto answer = resolver->resolve(parsed(written), stop);
    EXPECT_FALSE(answer);
    return answer ? error{} : answer.error();
  }
};

TEST_F(secrets, a_text_without_references_is_itself) {
  for (const char* plain : {"hunter2", "", "a${b}", "$", "${", "env:X", "${ENV:X}", "}{"}) {
    EXPECT_EQ(value(plain), plain);
  }
  EXPECT_EQ(parsed("hunter2").shown(), "***");
  EXPECT_TRUE(parsed("hunter2").has_plain());
}

TEST_F(secrets, a_doubled_dollar_sign_makes_a_reference_clear_text) {
  EXPECT_EQ(value("$${env:X}"), "${env:X}");
  EXPECT_EQ(value("$$$"), "$$$");
}

TEST_F(secrets, references_are_looked_up_anew_at_each_call) {
  variables["PW"] = "first";
  EXPECT_EQ(value("${env:PW}"), "first");
  variables["PW"] = "second";
  EXPECT_EQ(value("${env: PW }"), "second");
  write("pw", "one\n");
  EXPECT_EQ(value("${file:pw}"), "one");
  write("pw", "two\r\n");
  EXPECT_EQ(value("${file:pw}"), "two");
  EXPECT_EQ(value("${cmd:cat '" + (folder / "pw").string() + "'}"), "two");
  write("pw", " three \n\n");
  EXPECT_EQ(value("${file:" + (folder / "pw").string() + "}"), " three \n") << "one line end is not part";
  EXPECT_THAT(found, ::testing::Contains("two")) << "what is found can be masked";
}

TEST_F(secrets, references_may_stand_inside_text_and_beside_each_other) {
  variables = {{"A", "x"}, {"B", "y"}};
  EXPECT_EQ(value("Bearer ${env:A}-${env:B}."), "Bearer x-y.");
  EXPECT_THAT(found, ::testing::Contains("Bearer x-y."));
  EXPECT_EQ(parsed("Bearer ${env:A}").shown(), "***");
  EXPECT_FALSE(parsed("${env:A}${env:B}").has_plain());
}

TEST_F(secrets, a_command_may_have_braces_in_pairs) {
  EXPECT_EQ(value("${cmd:A=5; echo ${A}1 | awk '{print $1}'}"), "51");
}

TEST_F(secrets, a_message_names_reference_and_place_and_never_a_value) {
  const error unset = failure("${env:SHOP_PW}");
  EXPECT_EQ(unset.kind, error_kind::denied);
  EXPECT_EQ(unset.message,
            "job.json:3:5 password: ${env:SHOP_PW}: the environment variable is not set; set it for this "
            "process and run again");
  const error missing = failure("${file:none}");
  EXPECT_EQ(missing.kind, error_kind::denied);
  EXPECT_THAT(missing.message, AllOf(HasSubstr("${file:none}"), HasSubstr("is not there"),
                                     HasSubstr(folder.filename().string())));
  EXPECT_THAT(failure("${file:.}").message, HasSubstr("cannot be read"));
  write("big", std::string(secret_bytes_max + 1, 'x'));
  EXPECT_THAT(failure("${file:big}").message, HasSubstr("is larger than 64 KiB"));
}

TEST_F(secrets, a_command_that_fails_is_told_with_its_words_but_not_with_its_arguments_or_its_output) {
  const error failed =
      failure("${cmd:TOKEN=topsecret vault; echo half-secret; echo 'bad topsecret half-secret' >&2; exit 3}");
  EXPECT_EQ(failed.kind, error_kind::not_connected);
  EXPECT_THAT(failed.message,
              AllOf(HasSubstr("${cmd:…}"), HasSubstr("ended with status 3"), HasSubstr("bad *** ***"),
                    Not(HasSubstr("topsecret")), Not(HasSubstr("half-secret"))));
  EXPECT_THAT(failure("${cmd:vault read -field=pw x >/dev/null; false}").message,
              HasSubstr("${cmd:vault …}"));
  EXPECT_THAT(failure("${cmd:true}").message, HasSubstr("printed nothing; it said nothing"));
  EXPECT_THAT(failure("${cmd:yes}").message, HasSubstr("printed more than 64 KiB"));
  const error loud = failure("${cmd:printf 'x%.0s' $(seq 1 5000) >&2; exit 1}");
  EXPECT_LT(loud.message.size(), 500u) << "what it says is cut";
}

TEST_F(secrets, a_command_has_a_timeout_and_ends_with_its_children) {
  make(std::chrono::milliseconds(200));
  const auto begin = std::chrono::steady_clock::now();
  const error late = failure("${cmd:sleep 600 & sleep 600}");
  EXPECT_EQ(late.kind, error_kind::not_connected);
  EXPECT_THAT(late.message, HasSubstr("did not end within 0.2 s and was ended"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(secrets, a_stop_ends_a_command) {
  const stop_source stop;
  stop.fire();
  EXPECT_EQ(failure("${cmd:sleep 600}", stop.signal()).kind, error_kind::cancelled);
}

TEST_F(secrets, a_file_that_others_may_read_draws_one_warning) {
  write("open", "x", 0644);
  write("own", "y", 0600);
  EXPECT_EQ(value("${file:open}") + value("${file:open}") + value("${file:own}"), "xxy");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], AllOf(HasSubstr("${file:open}"), HasSubstr("mode 644"), HasSubstr("chmod 600")));
}

TEST(secret_references, without_a_closing_brace_or_a_name_are_refused_without_showing_what_follows) {
  for (const char* broken : {"${env:", "${env:abc", "x${cmd:echo hidden {"}) {
    const auto answer = secret_text::parse(broken, "p");
    ASSERT_FALSE(answer) << broken;
    EXPECT_EQ(answer.error().kind, error_kind::bad_option);
    EXPECT_THAT(answer.error().message, AllOf(HasSubstr("has no closing brace"), Not(HasSubstr("hidden"))));
  }
  EXPECT_THAT(secret_text::parse("${file: }", "p").error().message, HasSubstr("names nothing"));
}

TEST(secret_references, are_found_in_a_text) {
  struct row {
    const char* text;
    std::size_t dollar;
    std::size_t end;
  };
  constexpr std::size_t none = std::string_view::npos;
  for (const row& r :
       {row{"${env:A}b", 0, 8}, row{"a${cmd:x {y}}b", 1, 13}, row{"${file:a", 0, 8}, row{"$${env:A}", 0, 3},
        row{"${bizdate}", 0, none}, row{"$env", 0, none}, row{"", 0, none}, row{"$", 0, none}}) {
    EXPECT_EQ(secret_reference_end(r.text, r.dollar), r.end) << r.text;
  }
  EXPECT_TRUE(has_secret_reference("jdbc:x?p=${env:A}"));
  EXPECT_FALSE(has_secret_reference("${bizdate} $ ${"));
}

TEST(secret, is_gone_from_where_it_was_moved) {
  secret a("value");
  secret b = std::move(a);
  EXPECT_EQ(b.reveal(), "value");
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
  b = secret("other");
  EXPECT_EQ(b.reveal(), "other");
  EXPECT_TRUE(secret().empty());
}

}  // namespace
}  // namespace sluice
