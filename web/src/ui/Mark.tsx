/** Ingle's mark: a flame with its ember. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden fill="none">
      <path
        fill="var(--accent)"
        d="M17.3 2c1 4.300-.600 7-3.100 9.600C11.200 14.700 8 17.400 8 21.900a8.200 8.200 0 0 0 16.400 0c0-3.500-1.500-5.900-3.100-7.900-.300 1.600-1 2.800-2.200 3.600.700-5-.100-10.500-1.800-15.600Z"
      />
      <path
        fill="var(--bg)"
        opacity=".85"
        d="M16.500 18.200c.300 1.900-.700 2.900-1.600 4-.900.900-1.600 1.700-1.600 3a3 3 0 0 0 6 0c0-2.600-1.500-4.700-2.800-7Z"
      />
    </svg>
  );
}
