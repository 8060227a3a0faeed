"""LLVM text of `native.Bridge.into`: a kernel that writes into arrays that there are."""
from __future__ import annotations


def text(word, field, words: int, most: int, head: int) -> str:
    """``into(object, args, count)``; ``word`` and ``field`` give the places of words and of fields of arrays.

    After ``words`` words %self holds two for each word of the kernel's block, the number of an argument and an offset
    into it, and then sizes and strides, if it has any; without them the arrays are contiguous.
    """
    return f"""
define ptr @into(ptr %object, ptr %args, i64 %count) nounwind {{
entry:
  %block = alloca i64, i64 {most}
  %self = getelementptr i8, ptr %object, i64 {head}
  %inputs_at = {word("inputs")}
  %inputs = load i64, ptr %inputs_at
  %places = getelementptr i64, ptr %self, i64 {words}
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %pair = mul i64 %i, 2
  %which_at = getelementptr i64, ptr %places, i64 %pair
  %which = load i64, ptr %which_at
  %offset_at = getelementptr i64, ptr %which_at, i64 1
  %offset = load i64, ptr %offset_at
  %array_at = getelementptr ptr, ptr %args, i64 %which
  %array = load ptr, ptr %array_at
  %data_at = {field("data", "%array")}
  %data = load ptr, ptr %data_at
  %address = getelementptr i8, ptr %data, i64 %offset
  %to = getelementptr ptr, ptr %block, i64 %i
  store ptr %address, ptr %to
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %inputs
  br i1 %more, label %loop, label %go
go:
  %first = load ptr, ptr %args
  %total = getelementptr i64, ptr %block, i64 %inputs
  %length_at = {word("length")}
  %length = load i64, ptr %length_at
  %plain = icmp eq i64 %length, 0
  br i1 %plain, label %flat_, label %strided
flat_:
  %n = call i64 @elements(ptr %first)
  store i64 %n, ptr %total
  call void @enter(ptr %self, ptr %block, i64 %n, i64 %n)
  br label %done
strided:
  %twice = mul i64 %inputs, 2
  %numbers = getelementptr i64, ptr %places, i64 %twice
  call void @llvm.memcpy.p0.p0.i64(ptr %total, ptr %numbers, i64 %length, i1 false)
  %extent_at = {word("extent")}
  %extent = load i64, ptr %extent_at
  %work_at = {word("work")}
  %work = load i64, ptr %work_at
  call void @enter(ptr %self, ptr %block, i64 %extent, i64 %work)
  br label %done
done:
  call void @Py_IncRef(ptr %first)
  ret ptr %first
}}
"""
