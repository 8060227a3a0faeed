"""Numbered pieces of memory that threads take and give back, in LLVM: each is one thread's until it gives it back."""

SLOTS = 64  # threads that may have one at once; more wait

TEXT = f"""
@rooms = internal global [{SLOTS} x ptr] zeroinitializer, align 64
@taken = internal global [{SLOTS} x i32] zeroinitializer, align 64
declare ptr @malloc(i64)

define internal i64 @take() nounwind {{
entry:
  br label %look
look:
  %i = phi i64 [0, %entry], [%next, %other]
  %at = getelementptr i32, ptr @taken, i64 %i
  %pair = cmpxchg ptr %at, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{i32, i1}} %pair, 1
  br i1 %mine, label %have, label %other
other:
  %more = add i64 %i, 1
  %next = urem i64 %more, {SLOTS}
  br label %look
have:
  ret i64 %i
}}

define internal void @give(i64 %i) nounwind {{
  %at = getelementptr i32, ptr @taken, i64 %i
  store atomic i32 0, ptr %at seq_cst, align 4
  ret void
}}
"""
