import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.directory import parsers
from yellowbook.directory.parsers import Record, UnreadableFile, read_csv, read_jsonl


def of_csv(text: str | bytes) -> list[Record]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_csv(io.BytesIO(data))[1])


def of_jsonl(text: str | bytes) -> list[Record]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_jsonl(io.BytesIO(data)))


def told(records: list[Record]) -> list[tuple[int, Any]]:
    """Return line and problem, or line and values, of each record."""
    return [(record.line, record.problem or dict(record.values)) for record in records]


class TestCsv:
    def test_rows_come_with_the_line_they_begin_on(self) -> None:
        assert told(of_csv("name,city\nА,Х\nБ,У\n")) == [
            (2, {"name": "А", "city": "Х"}),
            (3, {"name": "Б", "city": "У"}),
        ]

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    def test_a_byte_order_mark_and_either_line_end_are_fine(self, bom: str, end: str) -> None:
        assert told(of_csv(f"{bom}name,city{end}А,Х{end}")) == [(2, {"name": "А", "city": "Х"})]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_the_delimiter_is_the_one_of_the_header(self, delimiter: str) -> None:
        text = f'name{delimiter}city\n"a,b;c"{delimiter}x\n'

        assert told(of_csv(text)) == [(2, {"name": "a,b;c", "city": "x"})]

    def test_column_names_are_understood_in_any_dress(self) -> None:
        assert read_csv(io.BytesIO(b" External ID ,PRICE-LEVEL\n"))[0] == ["external_id", "price_level"]

    def test_quotes_may_hold_delimiters_quotes_and_line_breaks(self) -> None:
        text = 'name,description\n"a, ""b""","one\n\ntwo"\nlast,x\n'

        assert told(of_csv(text)) == [
            (2, {"name": 'a, "b"', "description": "one\n\ntwo"}),
            (5, {"name": "last", "description": "x"}),
        ]

    def test_a_quote_inside_an_unquoted_cell_is_just_a_quote(self) -> None:
        assert told(of_csv('name,city\n5" pipe,x\n')) == [(2, {"name": '5" pipe', "city": "x"})]

    def test_empty_rows_are_skipped(self) -> None:
        assert told(of_csv("name,city\n\n  \n,\na,b\n")) == [(5, {"name": "a", "city": "b"})]

    def test_a_row_of_another_width_is_refused_alone(self) -> None:
        assert told(of_csv("name,city\na\nb,c,d\ne,f\n")) == [
            (2, "The row has 1 cells, the header 2."),
            (3, "The row has 3 cells, the header 2."),
            (4, {"name": "e", "city": "f"}),
        ]

    @pytest.mark.parametrize(
        "following",
        ["b,c\nd,e\n", '"b","c"\n"d","e"\n', 'b,"c"\nd,"e"\n', '"b",c\n"d",e\n', 'b,""\n"d",e\n'],
        ids=["no quotes", "all quoted", "last quoted", "first quoted", "an empty cell"],
    )
    def test_a_quote_that_is_never_closed_costs_its_own_line_only(self, following: str) -> None:
        records = of_csv(f'name,city\n"a,x\n{following}')

        assert told(records)[0] == (2, "The line is not CSV: a quote is opened and not closed.")
        assert [record.line for record in records] == [2, 3, 4]
        assert not any(record.problem for record in records[1:])

    def test_a_quote_is_searched_for_only_so_far(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parsers, "LONGEST_RECORD", 3)

        records = of_csv('name,city\n"a,x\n' + "b,c\n" * 5 + 'd","e"\n')

        assert [record.line for record in records if not record.problem] == [3, 4, 5, 6, 7, 8]

    def test_a_quote_is_searched_for_only_in_so_many_characters(self) -> None:
        longest = "\n".join(["x" * 1000] * 60)
        assert told(of_csv(f'name,city\nА,"{longest}"\n')) == [(2, {"name": "А", "city": longest})]
        records = of_csv('name,city\nА,"' + longest + "\n" + longest + '"\nБ,У\n')
        assert told(records)[0] == (2, "The line is not CSV: a quote is opened and not closed.")
        assert told(records)[-1] == (122, {"name": "Б", "city": "У"})

    def test_empty_rows_are_skipped_up_to_a_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parsers, "MOST_EMPTY_ROWS", 3)
        for empty in ("\n", ",\n", " , ,,\n", "\u3000,\n"):
            assert len(of_csv("name,city\n" + empty * 3 + "А,Х\n")) == 1
            with pytest.raises(UnreadableFile, match="empty rows"):
                of_csv("name,city\n" + empty * 4 + "А,Х\n")
        assert len(of_jsonl("\n" * 3 + "{}")) == 1
        with pytest.raises(UnreadableFile, match="empty rows"):
            of_jsonl("\n" * 4 + "{}")

    def test_a_header_names_only_so_many_columns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parsers, "MOST_COLUMNS", 3)
        assert of_csv("name,city,a\n") == []
        with pytest.raises(UnreadableFile, match="names 4 columns"):
            of_csv("name,city,a,b\n")

    def test_text_after_a_closing_quote_is_refused(self) -> None:
        assert told(of_csv('name,city\n"a"b,c\nd,e\n')) == [
            (2, "The line is not CSV: there is text between a closing quote and the end of its cell."),
            (3, {"name": "d", "city": "e"}),
        ]

    def test_bytes_that_are_not_utf_8_cost_their_line_only(self) -> None:
        assert told(of_csv(b"name,city\na,\xff\nb,c\n")) == [
            (2, "Byte 3 of the line is not UTF-8."),
            (3, {"name": "b", "city": "c"}),
        ]

    def test_bytes_that_are_not_utf_8_inside_a_long_record_cost_the_record(self) -> None:
        assert told(of_csv(b'name,city\n"a\n\xff\n",x\nb,c\n')) == [
            (2, "Byte 1 of the line is not UTF-8."),
            (5, {"name": "b", "city": "c"}),
        ]

    @pytest.mark.parametrize("make", [lambda rest: f"a{rest},x", lambda rest: f'"a{rest}",x'], ids=["bare", "quoted"])
    def test_an_endless_line_is_skipped(self, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
        monkeypatch.setattr(parsers, "LONGEST_LINE", 2048)

        assert told(of_csv(f"name,city\n{make('a' * 9000)}\nb,c\n")) == [
            (2, "The line is longer than 2 KiB."),
            (3, {"name": "b", "city": "c"}),
        ]

    def test_a_long_cell_is_left_to_the_rules_of_its_field(self) -> None:
        [record] = of_csv(f"name,city\n{'ө' * 100_000},x\n")

        assert len(record.values["name"]) == 100_000

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (b"", "The file is empty."),
            (b"\n\n", "The file is empty."),
            (b"\xff\xfen\x00a\x00", "Line 1, the header, can't be read: Byte 1 of the line is not UTF-8."),
            (b"name,city,NAME,City\n", "The header names a column twice: city, name."),
            (b'"name,city\n', "Line 1, the header, can't be read: a quote is opened and not closed"),
        ],
    )
    def test_a_file_without_a_usable_header_is_refused_as_a_whole(self, text: bytes, reason: str) -> None:
        with pytest.raises(UnreadableFile) as refused:
            of_csv(text)

        assert str(refused.value) == reason

    @given(
        st.lists(
            st.lists(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=12),
                min_size=2,
                max_size=2,
            ).filter(lambda cells: any(cell.strip() for cell in cells)),
            max_size=8,
        )
    )
    def test_whatever_a_csv_writer_writes_is_read_back(self, rows: list[list[str]]) -> None:
        out = io.StringIO()
        csv.writer(out).writerows([["name", "city"], *rows])

        assert [list(record.values.values()) for record in of_csv(out.getvalue())] == rows

    @given(st.binary(max_size=300))
    def test_no_bytes_break_it_and_no_line_is_lost_or_counted_twice(self, data: bytes) -> None:
        records = of_csv(b"name,city\n" + data)

        lines = [record.line for record in records]
        assert lines == sorted(set(lines))

    @given(st.lists(st.text('a",\n\\;', max_size=10), max_size=10))
    def test_a_broken_line_never_swallows_the_good_ones_far_behind_it(self, mess: list[str]) -> None:
        good = 'good,"row"\n'
        with_mess = of_csv("name,city\n" + "\n".join(mess) + "\n" + good * 4)

        assert [dict(record.values) for record in with_mess[-2:]] == [{"name": "good", "city": "row"}] * 2


class TestJsonLines:
    def test_objects_come_with_their_lines(self) -> None:
        assert told(of_jsonl('\ufeff{"name": "А"}\r\n\n{"name": "Б", "price_level": 2}')) == [
            (1, {"name": "А"}),
            (3, {"name": "Б", "price_level": 2}),
        ]

    @pytest.mark.parametrize(
        ("line", "part"),
        [
            ('{"name": "a"', "not JSON: Expecting ',' delimiter at character 13"),
            ("name,city", "not JSON"),
            ("[1]", "not a JSON object"),
            ("null", "not a JSON object"),
            ('{"latitude": NaN}', "NaN is not a number"),
            ('{"latitude": ' + "9" * 5000 + "}", "4300 digits"),
            ("[" * 100_000, "too deeply nested"),
        ],
    )
    def test_a_broken_line_is_refused_alone(self, line: str, part: str) -> None:
        first, second = of_jsonl(f'{line}\n{{"name": "b"}}\n')

        assert (first.line, part in first.problem) == (1, True), first.problem
        assert told([second]) == [(2, {"name": "b"})]

    def test_bytes_that_are_not_utf_8_cost_their_line_only(self) -> None:
        assert told(of_jsonl(b'{"name": "\xd0"}\n{"name": "b"}\n')) == [
            (1, "Byte 11 of the line is not UTF-8."),
            (2, {"name": "b"}),
        ]

    @given(st.lists(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none(), st.booleans()))))
    def test_whatever_json_writes_is_read_back(self, rows: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(row) + "\n" for row in rows)

        assert [dict(record.values) for record in of_jsonl(text)] == rows
